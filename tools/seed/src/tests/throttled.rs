//! A table that hands items back.

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
    fill,
    stack::Stack,
};

/// A store that takes at most so many items of a call and hands the others back, as a table that is throttled in part does.
#[derive(Debug, Clone)]
struct Sparing {
    most: usize,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Sparing {
    fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
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

    fn taken(&self) -> Vec<Value> {
        self.taken.lock().clone()
    }

    fn answer(&self, request: &HttpRequest) -> Value {
        let asked: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let puts = asked["RequestItems"]["ledger"].as_array().cloned().unwrap_or_default();
        let (taken, left) = puts.split_at(self.most.min(puts.len()));
        let units = json!([{"TableName": "ledger", "CapacityUnits": taken.len()}]);
        self.taken.lock().extend_from_slice(taken);
        let left = if left.is_empty() { json!({}) } else { json!({"ledger": left}) };
        json!({"UnprocessedItems": left, "ConsumedCapacity": units})
    }
}

impl HttpClient for Sparing {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Sparing {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = SdkBody::from(self.answer(&request).to_string());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().expect("a status"), body)))
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_table_hands_back_is_written_later() {
    let store = Sparing::new(7);
    let plan = plan(110);
    let written =
        fill::write_entries(&store.stack(), &plan, &plan.catalog().expect("a catalog"), 3, |_| {})
            .await;
    assert!((written.expect("all").units - 110.0).abs() < 0.5);
    let written: HashSet<String> = store
        .taken()
        .iter()
        .map(|put| put["PutRequest"]["Item"]["txn_id"]["S"].to_string())
        .collect();
    assert_eq!((store.taken().len(), written.len()), (110, 110));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_takes_nothing_for_minutes_is_given_up() {
    let failure = batch::write(&Sparing::new(0).stack(), &entries(&plan(25)))
        .await
        .expect_err("nothing taken");
    assert!(matches!(failure, WriteError::TurnedAway { left: 25, source: None }), "{failure}");
}
