//! The transport between an instance and the services: records calls and injects faults.

use std::{fmt, sync::Arc};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    bucket, fake_cloudwatch,
    fake_services::FakeServices,
    fault::{Fault, FaultPlan},
    replies,
    requests::{Service, consumed_units, payload, requesting_units, target},
    window::{ConflictWindow, LockOutcome},
};

/// A call that was sent, with the capacity that it consumed.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiCall {
    /// `TransactWriteItems`, `SendMessageBatch`, `UploadPart`, …
    pub operation: String,
    /// Write request units, including those of indexes. 0 for a rejected write, which a real table
    /// bills, and for a call to another service.
    pub write_units: f64,
    /// Read request units.
    pub read_units: f64,
}

/// The HTTP client of one instance.
#[derive(Clone)]
pub struct FaultyTransport(Arc<Inner>);

struct Inner {
    client: SharedHttpClient,
    services: FakeServices,
    window: Option<ConflictWindow>,
    is_recording: bool,
    plan: Mutex<FaultPlan>,
    calls: Mutex<Vec<ApiCall>>,
    crashed: Notify,
}

impl FaultyTransport {
    pub(super) fn new(
        client: SharedHttpClient,
        services: FakeServices,
        window: Option<ConflictWindow>,
    ) -> Self {
        Self::build(client, services, window, true)
    }

    /// Creates a transport that does not record calls, so that it adds little to their time.
    pub(super) fn uncounted(client: SharedHttpClient, services: FakeServices) -> Self {
        Self::build(client, services, None, false)
    }

    fn build(
        client: SharedHttpClient,
        services: FakeServices,
        window: Option<ConflictWindow>,
        is_recording: bool,
    ) -> Self {
        let (plan, calls, crashed) = (Mutex::default(), Mutex::default(), Notify::new());
        Self(Arc::new(Inner { client, services, window, is_recording, plan, calls, crashed }))
    }

    /// Injects a fault into one call: 1 is the next one.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        self.0.plan.lock().at(call, fault);
    }

    /// Injects a fault into each future call with this probability; the same seed gives the same
    /// faults. Each use adds a fault; a call that several would strike meets the one added first.
    pub fn fail_randomly(&self, seed: u64, probability: f64, fault: Fault) {
        self.0.plan.lock().randomly(seed, probability, fault);
    }

    /// Injects a fault into every future call of this operation that meets no other fault.
    pub fn fail_always(&self, operation: &str, fault: Fault) {
        self.0.plan.lock().always(operation, fault);
    }

    /// Removes all faults.
    pub fn heal(&self) {
        self.0.plan.lock().heal();
    }

    /// Removes the recorded calls and returns their operations and their total write and read
    /// units.
    #[must_use]
    pub fn take_cost(&self) -> (Vec<String>, f64, f64) {
        cost(&self.take_calls())
    }

    /// Removes and returns the recorded calls.
    #[must_use]
    pub fn take_calls(&self) -> Vec<ApiCall> {
        std::mem::take(&mut self.0.calls.lock())
    }

    /// Completes when a call meets [`Fault::CrashBefore`] or [`Fault::CrashAfter`]. The call itself
    /// never completes: a `select!` of both drops it.
    pub async fn crashed(&self) {
        self.0.crashed.notified().await;
    }

    async fn send(
        &self,
        connector: SharedHttpConnector,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let (service, operation) = target(&request);
        let fault = {
            let mut plan = self.0.plan.lock();
            plan.next().or_else(|| plan.of_operation(&operation))
        };
        let index = self.record(&operation);
        match fault {
            Some(Fault::Refuse) => {
                return Err(ConnectorError::io("connection refused (injected)".into()));
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
            Some(Fault::CrashBefore) => self.crash().await,
            _ => {}
        }
        let response = match service {
            Service::Dynamo => self.call_store(connector, request, &operation, index).await?,
            Service::S3 => self.0.services.bucket_response(bucket::Request::read(request).await?),
            Service::CloudWatch => self
                .0
                .services
                .cloudwatch_response(&operation, request.body().bytes().unwrap_or_default()),
            Service::Other => self.0.services.respond(&operation, &payload(&request)),
        };
        match fault {
            Some(Fault::LoseReply) => Err(ConnectorError::io("connection reset (injected)".into())),
            Some(Fault::CrashAfter) => self.crash().await,
            _ => Ok(response),
        }
    }

    async fn call_store(
        &self,
        connector: SharedHttpConnector,
        request: HttpRequest,
        operation: &str,
        index: usize,
    ) -> Result<HttpResponse, ConnectorError> {
        let _locks = match &self.0.window {
            None => None,
            Some(window) => match window.lock_items(&payload(&request)).await {
                LockOutcome::Locked(locks) => Some(locks),
                LockOutcome::Conflict => return Ok(replies::conflicted(&payload(&request))),
            },
        };
        if !self.0.is_recording {
            return connector.call(request).await;
        }
        let response = connector.call(requesting_units(request)).await?;
        let (response, units) = consumed_units(response).await?;
        self.record_units(index, operation, units);
        Ok(response)
    }

    /// Records a call and returns its index.
    fn record(&self, operation: &str) -> usize {
        let mut calls = self.0.calls.lock();
        if self.0.is_recording {
            let operation = operation.to_owned();
            calls.push(ApiCall { operation, write_units: 0.0, read_units: 0.0 });
        }
        calls.len().saturating_sub(1)
    }

    fn record_units(&self, index: usize, operation: &str, units: f64) {
        let writes = ["PutItem", "Update", "Delete", "TransactWrite", "BatchWrite"];
        if let Some(call) = self.0.calls.lock().get_mut(index) {
            let is_write = writes.iter().any(|prefix| operation.starts_with(prefix));
            if is_write { call.write_units = units } else { call.read_units = units }
        }
    }

    async fn crash(&self) -> ! {
        self.0.crashed.notify_one();
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
        HttpConnectorFuture::new(async move { transport.send(connector, request).await })
    }
}

/// Returns the operations of calls, and their total write and read units.
#[must_use]
pub fn cost(calls: &[ApiCall]) -> (Vec<String>, f64, f64) {
    let sum = |units: fn(&ApiCall) -> f64| calls.iter().map(units).sum();
    let operations = calls.iter().map(|call| call.operation.clone());
    (operations.collect(), sum(|call| call.write_units), sum(|call| call.read_units))
}

#[cfg(test)]
mod tests {
    use crate::testing::Cloud;

    #[tokio::test]
    async fn an_uncounted_instance_reaches_all_services_and_records_no_call() {
        let cloud = Cloud::start().await;
        let instance = cloud.uncounted_instance();
        instance.create_product(7).await;
        let s3 = cloud.aws_behind(&instance.transport).s3();
        s3.put_object().bucket("files").key("a").send().await.expect("put");
        assert_eq!(cloud.services().files().len(), 1);
        assert!(instance.transport.take_calls().is_empty());
    }
}
