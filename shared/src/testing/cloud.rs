//! The store of one test, and the processes that use it.

use std::{collections::HashMap, net::Ipv4Addr, thread, time::Duration};

use aws_config::{Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, HttpClient, SharedCredentialsProvider},
    types::AttributeValue,
};
use dynoxide::{Database, server};
use tokio::{net::TcpListener, runtime, sync::oneshot};

use super::{FakeServices, FaultyTransport, Template, window::ConflictWindow};
use crate::{
    App,
    aws::{self, Aws, Transport},
    config::Config,
    digest::sha256,
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

/// What a function's environment must name, as it is named in every [`Cloud`].
pub const NAMES: [(&str, &str); 14] = [
    ("ORDERS_TABLE", ORDERS_TABLE),
    ("LEDGER_TABLE", LEDGER_TABLE),
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

/// The token that every [`Cloud`] knows, and that every [`super::Call`] carries.
pub const TOKEN: &str = "token";

/// How long processes wait and retry: a busy test machine is neither contention nor a failing store.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// An embedded DynamoDB on a free port of the loopback, with the template's tables. Ends with its value.
#[derive(Debug)]
pub struct Cloud {
    endpoint: String,
    aws: Aws,
    client: Client,
    /// Shared by all wires: to set one up takes as long as many calls.
    transport: Transport,
    services: FakeServices,
    _stop: Option<oneshot::Sender<()>>,
}

/// An instance of a function: its [`App`] reaches the store through a wire of its own.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What a handler gets.
    pub app: App,
    /// What lies between it and the store.
    pub transport: FaultyTransport,
}

impl Instance {
    /// The same process at a moment of the test's choice.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { app: self.app.at(now), transport: self.transport.clone() }
    }
}

impl Cloud {
    /// A store with empty tables.
    pub async fn start() -> Self {
        let database = Database::memory().expect("SQLite is built in");
        for request in Template::load().create_table_requests(str::to_owned) {
            let request =
                serde_json::from_value(request).expect("the template's tables are DynamoDB's");
            database.create_table(request).expect("a new table");
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, start) = oneshot::channel();
        // A thread of its own: a test that stops its clock does not stop the store's.
        thread::spawn(move || {
            let runtime =
                runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
                started.send(listener.local_addr().expect("a bound port")).expect("the test waits");
                tokio::select! {
                    served = server::serve_with_shutdown(listener, database, std::future::pending()) => served.expect("served"),
                    _ = stopped => {}
                }
            });
        });
        let endpoint = format!("http://{}", start.await.expect("the store starts"));
        Self { _stop: Some(stop), ..Self::at(endpoint) }
    }

    /// The store of another cloud, perhaps in another process, by its [`Cloud::endpoint`]; queues, stream, parameters and files are new.
    #[must_use]
    pub fn at(endpoint: String) -> Self {
        let transport = Transport::new(PATIENCE);
        let aws = services(&endpoint, transport.clone());
        let client = aws.dynamo();
        Self { endpoint, aws, client, transport, services: FakeServices::default(), _stop: None }
    }

    /// A new process with the default settings, but patient.
    #[must_use]
    pub fn instance(&self) -> Instance {
        self.instance_with(|_| {})
    }

    /// A new process with settings of its own.
    #[must_use]
    pub fn instance_with(&self, change: impl FnOnce(&mut Config)) -> Instance {
        self.wired(
            FaultyTransport::new(self.transport.clone(), self.services.clone(), None),
            change,
        )
    }

    /// A new process whose overlapping transactions conflict as the real store's do.
    #[must_use]
    pub fn instance_in(
        &self,
        window: &ConflictWindow,
        change: impl FnOnce(&mut Config),
    ) -> Instance {
        self.wired(
            FaultyTransport::new(
                self.transport.clone(),
                self.services.clone(),
                Some(window.clone()),
            ),
            change,
        )
    }

    /// A new process that counts nothing: for measuring what also needs the other services.
    #[must_use]
    pub fn uncounted(&self) -> Instance {
        self.wired(
            FaultyTransport::uncounted(self.transport.clone(), self.services.clone()),
            |_| {},
        )
    }

    /// An app alone, with nothing between it and the store: for measuring.
    #[must_use]
    pub fn app(&self) -> App {
        App::new(settings(), self.aws.clone())
    }

    fn wired(&self, transport: FaultyTransport, change: impl FnOnce(&mut Config)) -> Instance {
        let mut config = settings();
        change(&mut config);
        Instance { app: App::new(config, self.aws_behind(&transport)), transport }
    }

    /// The services behind a process's wire: what is no [`App`] counts and fails as the process does.
    #[must_use]
    pub fn aws_behind(&self, transport: &FaultyTransport) -> Aws {
        services(&self.endpoint, transport.clone())
    }

    /// The URL at which processes of any kind reach the store.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The store itself, with no faults in between and nothing counted.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Queues, stream, parameters and files.
    #[must_use]
    pub fn services(&self) -> &FakeServices {
        &self.services
    }

    /// Every item of a table.
    pub async fn items(&self, table: &str) -> Vec<HashMap<String, AttributeValue>> {
        let mut pages = self.client.scan().table_name(table).into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.expect("a scan"));
        }
        items
    }
}

/// An app whose every call this client answers: for measuring what lies before the wire.
#[must_use]
pub fn app_over(http: impl HttpClient + 'static) -> App {
    App::new(settings(), services("http://localhost", http))
}

/// A client whose every call this one answers.
#[must_use]
pub fn client_over(http: impl HttpClient + 'static) -> Client {
    services("http://localhost", http).dynamo()
}

/// The defaults, but patient, and nobody is asked for a token.
fn settings() -> Config {
    let said = |variable: &str| {
        NAMES.iter().find(|(name, _)| *name == variable).map(|(_, value)| (*value).to_owned())
    };
    let mut config = Config::read(said).expect("the defaults are fit");
    config.orders.retry_budget = PATIENCE;
    config.access.tokens = Some(sha256(TOKEN.as_bytes()).parse().expect("a hash"));
    config
}

/// All services at one endpoint, patiently.
fn services(endpoint: &str, http: impl HttpClient + 'static) -> Aws {
    let credentials = Credentials::new("key", "secret", None, None, "testing");
    let config = aws::configure(SdkConfig::builder().build())
        .into_builder()
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(PATIENCE)
                .operation_timeout(PATIENCE * 3)
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
        let other = Cloud::at(cloud.endpoint().to_owned());
        other.instance().product(7).await;
        assert!(!cloud.items(ORDERS_TABLE).await.is_empty());
        other.services().put_file("a", "b");
        assert_eq!((other.services().files().len(), cloud.services().files().len()), (1, 0));
    }
}
