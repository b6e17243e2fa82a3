//! Tests with a throttled table, which leaves items unprocessed.

use std::{collections::HashSet, sync::Arc};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use once::testing::{app_over, client_over};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{entries, plan};
use crate::{
    batch::{self, WriteError},
    stack::Stack,
    tables,
};

/// A store that writes at most `limit` items of a call and returns the others as unprocessed, as a
/// partly throttled table does.
#[derive(Debug, Clone)]
struct ThrottledStore {
    limit: usize,
    written: Arc<Mutex<Vec<Value>>>,
}

impl ThrottledStore {
    fn new(limit: usize) -> Self {
        Self { limit, written: Arc::default() }
    }

    fn stack(&self) -> Stack {
        let companies = app_over(self.clone()).companies().clone();
        Stack {
            client: client_over(self.clone()),
            orders: "orders".to_owned(),
            ledger: "ledger".to_owned(),
            companies,
        }
    }

    fn written(&self) -> Vec<Value> {
        self.written.lock().clone()
    }

    fn answer(&self, request: &HttpRequest) -> Value {
        let request: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let puts = request["RequestItems"]["ledger"].as_array().cloned().unwrap_or_default();
        let (written, unprocessed) = puts.split_at(self.limit.min(puts.len()));
        let units = json!([{"TableName": "ledger", "CapacityUnits": written.len()}]);
        self.written.lock().extend_from_slice(written);
        let unprocessed =
            if unprocessed.is_empty() { json!({}) } else { json!({"ledger": unprocessed}) };
        json!({"UnprocessedItems": unprocessed, "ConsumedCapacity": units})
    }
}

impl HttpClient for ThrottledStore {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for ThrottledStore {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = SdkBody::from(self.answer(&request).to_string());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().expect("a status"), body)))
    }
}

#[tokio::test(start_paused = true)]
async fn unprocessed_items_are_retried() {
    let store = ThrottledStore::new(7);
    let plan = plan(110);
    let catalog = plan.catalog().expect("a catalog");
    let summary = tables::write_entries(&store.stack(), &plan, &catalog, 3, |_| {}).await;
    assert!((summary.expect("all are written").units - 110.0).abs() < 0.5);
    let written: HashSet<String> = store
        .written()
        .iter()
        .map(|put| put["PutRequest"]["Item"]["txn_id"]["S"].to_string())
        .collect();
    assert_eq!((store.written().len(), written.len()), (110, 110));
}

#[tokio::test(start_paused = true)]
async fn a_write_to_a_table_that_stays_throttled_fails() {
    let failure = batch::write(&ThrottledStore::new(0).stack(), &entries(&plan(25)))
        .await
        .expect_err("nothing is written");
    assert!(matches!(failure, WriteError::Throttled { left: 25, source: None }), "{failure}");
}
