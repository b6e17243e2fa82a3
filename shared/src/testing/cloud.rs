//! The embedded DynamoDB of one test, and the instances that use it.

use std::{collections::HashMap, net::Ipv4Addr, time::Duration};

use aws_config::{Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, HttpClient, SharedCredentialsProvider},
    types::AttributeValue,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use embedded::{Endpoint, Services, TemporaryFolder};
use tokio::sync::{OnceCell, oneshot};

use super::{FakeServices, FaultyTransport, local_services, template::URL, window::ConflictWindow};
use crate::{
    App,
    access::Tokens,
    aws::{self, Aws, Transport},
    config::Config,
    time::Timestamp,
};

/// Name of the table `Orders` in every [`Cloud`].
pub const ORDERS_TABLE: &str = "OrdersTable";

/// Name of the table `Ledger` in every [`Cloud`].
pub const LEDGER_TABLE: &str = "LedgerTable";

/// Name of the table `Uniques` in every [`Cloud`].
pub const UNIQUES_TABLE: &str = "UniquesTable";

/// Name of the table `Companies` in every [`Cloud`].
pub const COMPANIES_TABLE: &str = "CompaniesTable";

/// Name of the table `Settlements` in every [`Cloud`].
pub const SETTLEMENTS_TABLE: &str = "SettlementsTable";

/// Name of the table `Schedules` in every [`Cloud`].
pub const SCHEDULES_TABLE: &str = "SchedulesTable";

/// Name of the secret that signs the tokens of orders, in every [`Cloud`].
pub const ORDER_SECRET_ID: &str = "OrderSecret";

/// The environment variables that a function requires, with their values in every [`Cloud`].
pub const ENVIRONMENT: [(&str, &str); 15] = [
    ("ORDERS_TABLE", ORDERS_TABLE),
    ("LEDGER_TABLE", LEDGER_TABLE),
    ("ORDER_SECRET_ID", ORDER_SECRET_ID),
    ("UNIQUES_TABLE", UNIQUES_TABLE),
    ("COUNT_STREAM", "counts"),
    ("CALLBACK_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/callbacks"),
    ("COMPANIES_TABLE", COMPANIES_TABLE),
    ("COMPANY_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/companies"),
    ("SETTLEMENTS_TABLE", SETTLEMENTS_TABLE),
    ("SETTLEMENT_BUCKET", "settlements"),
    ("SETTLEMENT_PLAN_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/plans"),
    ("SETTLEMENT_BATCH_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/batches"),
    ("SETTLEMENT_FINISH_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/finishes"),
    ("SCHEDULES_TABLE", SCHEDULES_TABLE),
    ("SCHEDULE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/occurrences"),
];

/// The token of every [`Cloud`] with the role `admin`, which every [`super::Call`] sends.
pub const TOKEN: &str = "token";

/// The token of every [`Cloud`] with the role `read`.
pub const READ_TOKEN: &str = "read-token";

/// Timeout and retry budget in tests: long, so that a slow test machine does not look like
/// contention or a failing store.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The access key of every client, which [`Cloud::endpoint`] requires.
pub const ACCESS_KEY: &str = "AKIAEXAMPLE000000000";

/// An embedded DynamoDB in this process, with the template's tables. It ends when this value and
/// all of its clients are dropped.
#[derive(Debug)]
pub struct Cloud {
    aws: Aws,
    client: Client,
    /// Where calls to DynamoDB go: the URL and the client of the store in this process, or of that
    /// in another one.
    url: String,
    http: SharedHttpClient,
    store: Services,
    services: FakeServices,
    endpoint: OnceCell<RunningEndpoint>,
    _folder: TemporaryFolder,
}

/// An endpoint for other processes, until it is dropped.
#[derive(Debug)]
struct RunningEndpoint {
    url: String,
    _stop: oneshot::Sender<()>,
}

/// An instance of a function, with its own caches and its own transport to the services.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The argument of handlers.
    pub app: App,
    /// The transport between the app and the services.
    pub transport: FaultyTransport,
}

impl Instance {
    /// Returns the same instance with its clock fixed at `now`.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { app: self.app.at(now), transport: self.transport.clone() }
    }
}

impl Cloud {
    /// Starts a store with empty tables.
    pub async fn start() -> Self {
        Self::open(None).await
    }

    /// Returns a cloud with the store of another one, perhaps in another process, by its
    /// [`Cloud::endpoint`]. Its queues, stream, secrets and files are new.
    pub async fn at(endpoint: &str) -> Self {
        Self::open(Some(endpoint)).await
    }

    async fn open(endpoint: Option<&str>) -> Self {
        let (store, folder) = local_services::open().await;
        let http = match endpoint {
            None => SharedHttpClient::new(store.clone()),
            Some(_) => SharedHttpClient::new(Transport::new(TIMEOUT)),
        };
        let url = endpoint.unwrap_or(URL).to_owned();
        let aws = services(&url, http.clone());
        let client = aws.dynamo();
        let (services, endpoint) = (FakeServices::default(), OnceCell::new());
        Self { aws, client, url, http, store, services, endpoint, _folder: folder }
    }

    /// Returns a new instance with the default settings but long timeouts.
    #[must_use]
    pub fn instance(&self) -> Instance {
        self.instance_with(|_| {})
    }

    /// Returns a new instance with changed settings.
    #[must_use]
    pub fn instance_with(&self, change: impl FnOnce(&mut Config)) -> Instance {
        self.instance_over(
            FaultyTransport::new(self.http.clone(), self.services.clone(), None),
            change,
        )
    }

    /// Returns a new instance whose overlapping transactions conflict as in the real store.
    #[must_use]
    pub fn instance_with_conflicts(
        &self,
        window: &ConflictWindow,
        change: impl FnOnce(&mut Config),
    ) -> Instance {
        self.instance_over(
            FaultyTransport::new(self.http.clone(), self.services.clone(), Some(window.clone())),
            change,
        )
    }

    /// Returns a new instance that does not record its calls: for benchmarks that also need the
    /// other services.
    #[must_use]
    pub fn uncounted_instance(&self) -> Instance {
        self.instance_over(
            FaultyTransport::uncounted(self.http.clone(), self.services.clone()),
            |_| {},
        )
    }

    /// Returns an app that calls the store directly: for benchmarks.
    #[must_use]
    pub fn app(&self) -> App {
        App::new(settings(), self.aws.clone())
    }

    fn instance_over(
        &self,
        transport: FaultyTransport,
        change: impl FnOnce(&mut Config),
    ) -> Instance {
        let mut config = settings();
        change(&mut config);
        Instance { app: App::new(config, self.aws_behind(&transport)), transport }
    }

    /// Returns clients that use an instance's transport: their calls are recorded and fail as the
    /// instance's do.
    #[must_use]
    pub fn aws_behind(&self, transport: &FaultyTransport) -> Aws {
        services(&self.url, transport.clone())
    }

    /// Returns a URL at which other processes reach the store while this runtime runs. Their access
    /// key must be [`ACCESS_KEY`].
    pub async fn endpoint(&self) -> &str {
        let start = async || {
            let address = (Ipv4Addr::LOCALHOST, 0).into();
            let bound = Endpoint::bind(address, self.store.clone(), ACCESS_KEY.to_owned()).await;
            let bound = bound.expect("a free port");
            let url = format!("http://{}", bound.local_address().expect("a bound port"));
            let (stop, stopped) = oneshot::channel();
            tokio::spawn(bound.serve(async { drop(stopped.await) }));
            RunningEndpoint { url, _stop: stop }
        };
        &self.endpoint.get_or_init(start).await.url
    }

    /// Returns a client of the store without faults, whose calls are not recorded.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the fake queues, stream, secrets, files and metrics.
    #[must_use]
    pub fn services(&self) -> &FakeServices {
        &self.services
    }

    /// Returns every item of a table.
    pub async fn items(&self, table: &str) -> Vec<HashMap<String, AttributeValue>> {
        let mut pages = self.client.scan().table_name(table).into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.expect("a scan"));
        }
        items
    }
}

/// Returns an app whose calls all go to this HTTP client: for benchmarks of the code before the
/// transport.
#[must_use]
pub fn app_over(http: impl HttpClient + 'static) -> App {
    App::new(settings(), services(URL, http))
}

/// Returns a DynamoDB client whose calls all go to this HTTP client.
#[must_use]
pub fn client_over(http: impl HttpClient + 'static) -> Client {
    services(URL, http).dynamo()
}

/// Returns the default settings with a long retry budget and the tokens [`TOKEN`] and
/// [`READ_TOKEN`].
fn settings() -> Config {
    let environment = |variable: &str| {
        ENVIRONMENT.iter().find(|(name, _)| *name == variable).map(|(_, value)| (*value).to_owned())
    };
    let mut config = Config::read(environment).expect("valid defaults");
    config.orders.retry_budget = TIMEOUT;
    let tokens = |token: &str| Tokens::hash(token).parse().expect("a hash");
    config.access.admin = Some(tokens(TOKEN));
    config.access.read = Some(tokens(READ_TOKEN));
    config
}

/// Returns clients of all services at one endpoint, with long timeouts.
fn services(endpoint: &str, http: impl HttpClient + 'static) -> Aws {
    let credentials = Credentials::new(ACCESS_KEY, "secret", None, None, "testing");
    let config = aws::configure(SdkConfig::builder().build())
        .into_builder()
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        // Short, since fault tests wait for it.
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(Duration::from_millis(1)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(TIMEOUT)
                .operation_timeout(TIMEOUT * 3)
                .build(),
        )
        .http_client(http);
    Aws::new(config.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cloud_at_the_endpoint_of_another_has_its_store_and_services_of_its_own() {
        let cloud = Cloud::start().await;
        let other = Cloud::at(cloud.endpoint().await).await;
        other.instance().create_product(7).await;
        assert!(!cloud.items(ORDERS_TABLE).await.is_empty());
        other.services().put_file("a", "b");
        assert_eq!((other.services().files().len(), cloud.services().files().len()), (1, 0));
    }
}
