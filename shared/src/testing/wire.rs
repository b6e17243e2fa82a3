//! The wire between a process and the services: it counts, and fails as told.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    cloud::PATIENCE,
    outside::Outside,
    window::{ConflictWindow, Held},
};
use crate::aws::Transport;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is refused: the store never sees the call.
    Refuse,
    /// The store answers that there are too many calls.
    Throttle,
    /// The store cancels the transaction because another one holds its items. Other calls pass.
    Conflict,
    /// The store does what it is asked, and its answer is lost.
    LoseReply,
    /// The call takes so much longer.
    Delay(Duration),
    /// The process dies before the store sees the call.
    DieBefore,
    /// The process dies after the store has done what it was asked.
    DieAfter,
}

/// One call that was sent, and what it consumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// `TransactWriteItems`, …
    pub operation: String,
    /// Write request units, those of indexes included; 0 for a call that was refused, which a real table bills all the same.
    pub write_units: f64,
    /// Read request units.
    pub read_units: f64,
}

/// The HTTP client of one process.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    client: Transport,
    outside: Outside,
    window: Option<ConflictWindow>,
    plan: Mutex<Plan>,
    died: Notify,
}

#[derive(Default)]
struct Plan {
    /// Calls so far.
    calls: u64,
    at: BTreeMap<u64, Fault>,
    randomly: Option<(fastrand::Rng, f64, Fault)>,
    sent: Vec<Sent>,
}

impl Wire {
    pub(super) fn new(outside: Outside, window: Option<ConflictWindow>) -> Self {
        let client = Transport::new(PATIENCE);
        Self(Arc::new(Inner { client, outside, window, plan: Mutex::default(), died: Notify::new() }))
    }

    /// The `call`-th call from now on, counted from 1, meets this fault.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        let mut plan = self.plan();
        let call = plan.calls + call;
        plan.at.insert(call, fault);
    }

    /// Every call from now on meets this fault with this probability; the same seed, the same faults.
    pub fn fail_randomly(&self, seed: u64, probability: f64, fault: Fault) {
        self.plan().randomly = Some((fastrand::Rng::with_seed(seed), probability, fault));
    }

    /// No faults from now on.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.at.clear();
        plan.randomly = None;
    }

    /// The calls since this was asked last.
    #[must_use]
    pub fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.plan().sent)
    }

    /// Ends when a call meets [`Fault::DieBefore`] or [`Fault::DieAfter`]. The call itself never ends: whoever waits for both drops it.
    pub async fn death(&self) {
        self.0.died.notified().await;
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_fault(&self) -> Option<Fault> {
        let mut plan = self.plan();
        plan.calls += 1;
        let call = plan.calls;
        let random =
            plan.randomly.as_mut().and_then(|(rng, probability, fault)| (rng.f64() < *probability).then_some(*fault));
        plan.at.remove(&call).or(random)
    }

    async fn carry(
        &self,
        connector: SharedHttpConnector,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let operation = operation(&request);
        let fault = self.next_fault();
        let begun = self.plan().sent.len();
        self.plan().sent.push(Sent { operation: operation.clone(), write_units: 0.0, read_units: 0.0 });
        match fault {
            Some(Fault::Refuse) => {
                return Err(ConnectorError::io("connection refused, as planned".into()));
            }
            Some(Fault::Throttle) => return Ok(throttled()),
            Some(Fault::Conflict) if operation == "TransactWriteItems" => {
                return Ok(conflicted(&request));
            }
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::DieBefore) => self.die().await,
            _ => {}
        }
        let held = match &self.0.window {
            None => None,
            Some(window) => match window.enter(&payload(&request)).await {
                Held::Until(release) => Some(release),
                Held::ByAnother => return Ok(conflicted(&request)),
            },
        };
        let response = match self.0.outside.answer(&operation, &payload(&request)) {
            Some((status, body)) => answered(status, &body),
            None => connector.call(counting(request)).await?,
        };
        drop(held);
        let (response, units) = consumed(response).await?;
        if let Some(sent) = self.plan().sent.get_mut(begun) {
            let write = ["PutItem", "Update", "Delete", "TransactWrite", "BatchWrite"]
                .iter()
                .any(|kind| operation.starts_with(kind));
            if write { sent.write_units = units } else { sent.read_units = units }
        }
        match fault {
            Some(Fault::LoseReply) => Err(ConnectorError::io("connection reset, as planned".into())),
            Some(Fault::DieAfter) => self.die().await,
            _ => Ok(response),
        }
    }

    async fn die(&self) -> ! {
        self.0.died.notify_one();
        std::future::pending().await
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.0.client.http_connector(settings, components);
        SharedHttpConnector::new(Connector { wire: self.clone(), connector })
    }
}

#[derive(Debug)]
struct Connector {
    wire: Wire,
    connector: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (wire, connector) = (self.wire.clone(), self.connector.clone());
        HttpConnectorFuture::new(async move { wire.carry(connector, request).await })
    }
}

/// `DynamoDB_20120810.PutItem` → `PutItem`
fn operation(request: &HttpRequest) -> String {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default().to_owned()
}

fn payload(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default()
}

/// The same request, asking what it consumes. The embedded store does not check signatures.
fn counting(mut request: HttpRequest) -> HttpRequest {
    let mut body = payload(&request);
    body["ReturnConsumedCapacity"] = "INDEXES".into();
    let body = body.to_string();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
    request
}

/// The response with its body read, and the units that it tells.
async fn consumed(mut response: HttpResponse) -> Result<(HttpResponse, f64), ConnectorError> {
    let body = response.take_body().collect().await.map_err(ConnectorError::io)?.to_bytes();
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    let units = match &told["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    };
    *response.body_mut() = SdkBody::from(body);
    Ok((response, units))
}

fn throttled() -> HttpResponse {
    refusal(
        &json!({"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "as planned"}),
    )
}

fn conflicted(request: &HttpRequest) -> HttpResponse {
    let items = payload(request)["TransactItems"].as_array().map_or(0, Vec::len);
    let reasons: Vec<Value> = (0..items)
        .map(|item| json!({"Code": if item + 1 == items { "TransactionConflict" } else { "None" }}))
        .collect();
    refusal(&json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, as planned",
        "CancellationReasons": reasons,
    }))
}

fn refusal(body: &Value) -> HttpResponse {
    answered(400, body)
}

fn answered(status: u16, body: &Value) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}
