//! The wire between a process and the services: it counts, and fails as told.

use std::{fmt, sync::Arc};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::Notify;

use super::{
    bucket, fake_cloudwatch,
    fake_services::FakeServices,
    fault::{Fault, FaultPlan},
    replies,
    window::{ConflictWindow, Held},
};
use crate::aws::Transport;

/// One call that was sent, and what it consumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// `TransactWriteItems`, `SendMessageBatch`, `UploadPart`, …
    pub operation: String,
    /// Write request units, those of indexes included; 0 for a call that was refused, which a real table bills all the same,
    /// and for one that is not DynamoDB's.
    pub write_units: f64,
    /// Read request units.
    pub read_units: f64,
}

/// The HTTP client of one process.
#[derive(Clone)]
pub struct FaultyTransport(Arc<Inner>);

struct Inner {
    client: Transport,
    services: FakeServices,
    window: Option<ConflictWindow>,
    counted: bool,
    plan: Mutex<FaultPlan>,
    sent: Mutex<Vec<Sent>>,
    died: Notify,
}

/// Whom a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Dynamo,
    S3,
    CloudWatch,
    /// The queue, the stream or the parameters.
    Another,
}

impl FaultyTransport {
    pub(super) fn new(
        client: Transport,
        services: FakeServices,
        window: Option<ConflictWindow>,
    ) -> Self {
        Self::between(client, services, window, true)
    }

    /// A wire that adds as little as it can to the time of a call: nothing is counted.
    pub(super) fn uncounted(client: Transport, services: FakeServices) -> Self {
        Self::between(client, services, None, false)
    }

    fn between(
        client: Transport,
        services: FakeServices,
        window: Option<ConflictWindow>,
        counted: bool,
    ) -> Self {
        let (plan, sent) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { client, services, window, counted, plan, sent, died: Notify::new() }))
    }

    /// The `call`-th call from now on, counted from 1, meets this fault.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        self.0.plan.lock().at(call, fault);
    }

    /// Every call from now on meets this fault with this probability; the same seed, the same faults. Called again, it adds
    /// another kind: where several would strike a call, the one that was added first does.
    pub fn fail_randomly(&self, seed: u64, probability: f64, fault: Fault) {
        self.0.plan.lock().randomly(seed, probability, fault);
    }

    /// Every call of this operation meets this fault from now on, where no other strikes it.
    pub fn fail_always(&self, operation: &str, fault: Fault) {
        self.0.plan.lock().always(operation, fault);
    }

    /// No faults from now on.
    pub fn heal(&self) {
        self.0.plan.lock().heal();
    }

    /// The calls since this was asked last, by name, and the write and read units of all of them.
    #[must_use]
    pub fn take_cost(&self) -> (Vec<String>, f64, f64) {
        cost(&self.take_sent())
    }

    /// The calls since this was asked last.
    #[must_use]
    pub fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.0.sent.lock())
    }

    /// Ends when a call meets [`Fault::DieBefore`] or [`Fault::DieAfter`]. The call itself never ends: whoever waits for both drops it.
    pub async fn death(&self) {
        self.0.died.notified().await;
    }

    async fn carry(
        &self,
        connector: SharedHttpConnector,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let (service, operation) = addressed(&request);
        let fault = {
            let mut plan = self.0.plan.lock();
            plan.next().or_else(|| plan.of(&operation))
        };
        let place = self.begin(&operation);
        match fault {
            Some(Fault::Refuse) => {
                return Err(ConnectorError::io("connection refused, as planned".into()));
            }
            Some(Fault::Throttle) if service == Service::S3 => return Ok(bucket::slow_down()),
            Some(Fault::Throttle) if service == Service::CloudWatch => {
                return Ok(fake_cloudwatch::throttled());
            }
            Some(Fault::Throttle) => return Ok(replies::throttled()),
            Some(Fault::Conflict) if operation == "TransactWriteItems" => {
                return Ok(replies::conflicted(&payload(&request)));
            }
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::DieBefore) => self.die().await,
            _ => {}
        }
        let response = match service {
            Service::Dynamo => self.ask_store(connector, request, &operation, place).await?,
            Service::S3 => self.0.services.bucket_answer(bucket::Request::read(request).await?),
            Service::CloudWatch => self
                .0
                .services
                .metrics_answer(&operation, request.body().bytes().unwrap_or_default()),
            Service::Another => self.0.services.answer(&operation, &payload(&request)),
        };
        match fault {
            Some(Fault::LoseReply) => {
                Err(ConnectorError::io("connection reset, as planned".into()))
            }
            Some(Fault::DieAfter) => self.die().await,
            _ => Ok(response),
        }
    }

    async fn ask_store(
        &self,
        connector: SharedHttpConnector,
        request: HttpRequest,
        operation: &str,
        place: usize,
    ) -> Result<HttpResponse, ConnectorError> {
        let _held = match &self.0.window {
            None => None,
            Some(window) => match window.enter(&payload(&request)).await {
                Held::Until(release) => Some(release),
                Held::ByAnother => return Ok(replies::conflicted(&payload(&request))),
            },
        };
        if !self.0.counted {
            return connector.call(request).await;
        }
        let (response, units) = consumed(connector.call(counting(request)).await?).await?;
        self.count(place, operation, units);
        Ok(response)
    }

    /// Notes the call, and answers its place among those sent.
    fn begin(&self, operation: &str) -> usize {
        let mut sent = self.0.sent.lock();
        if self.0.counted {
            sent.push(Sent { operation: operation.to_owned(), write_units: 0.0, read_units: 0.0 });
        }
        sent.len().saturating_sub(1)
    }

    fn count(&self, place: usize, operation: &str, units: f64) {
        let writes = ["PutItem", "Update", "Delete", "TransactWrite", "BatchWrite"];
        if let Some(sent) = self.0.sent.lock().get_mut(place) {
            let write = writes.iter().any(|kind| operation.starts_with(kind));
            if write { sent.write_units = units } else { sent.read_units = units }
        }
    }

    async fn die(&self) -> ! {
        self.0.died.notify_one();
        std::future::pending().await
    }
}

impl fmt::Debug for FaultyTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyTransport").finish_non_exhaustive()
    }
}

impl HttpClient for FaultyTransport {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.0.client.http_connector(settings, components);
        SharedHttpConnector::new(Connector { transport: self.clone(), connector })
    }
}

#[derive(Debug)]
struct Connector {
    transport: FaultyTransport,
    connector: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (transport, connector) = (self.transport.clone(), self.connector.clone());
        HttpConnectorFuture::new(async move { transport.carry(connector, request).await })
    }
}

/// Calls by name, and the write and read units of all of them.
#[must_use]
pub fn cost(sent: &[Sent]) -> (Vec<String>, f64, f64) {
    let units = |of: fn(&Sent) -> f64| sent.iter().map(of).sum();
    let names = sent.iter().map(|call| call.operation.clone());
    (names.collect(), units(|call| call.write_units), units(|call| call.read_units))
}

/// `DynamoDB_20120810.PutItem` → `PutItem` of DynamoDB. A request of another protocol is for CloudWatch; one that
/// names no target is for S3.
fn addressed(request: &HttpRequest) -> (Service, String) {
    if request.headers().contains_key("smithy-protocol") {
        let (_, operation) = request.uri().rsplit_once('/').unwrap_or_default();
        return (Service::CloudWatch, operation.to_owned());
    }
    let Some(target) = request.headers().get("x-amz-target") else {
        return (Service::S3, bucket::operation(request).to_owned());
    };
    let (service, operation) = target.rsplit_once('.').unwrap_or_default();
    (
        if service.starts_with("DynamoDB") { Service::Dynamo } else { Service::Another },
        operation.to_owned(),
    )
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
        Value::Array(tables) => {
            tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
        }
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    };
    *response.body_mut() = SdkBody::from(body);
    Ok((response, units))
}

#[cfg(test)]
mod tests {
    use crate::testing::Cloud;

    #[tokio::test]
    async fn an_uncounted_process_reaches_all_services_and_counts_nothing() {
        let cloud = Cloud::start().await;
        let instance = cloud.uncounted();
        instance.product(7).await;
        let s3 = cloud.aws_behind(&instance.transport).s3();
        s3.put_object().bucket("files").key("a").send().await.expect("put");
        assert_eq!(cloud.services().files().len(), 1);
        assert!(instance.transport.take_sent().is_empty());
    }
}
