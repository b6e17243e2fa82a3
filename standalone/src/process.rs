//! Everything that a process holds, and the order in which it starts and stops.
//!
//! Start: data, services, the app, workers and rules, and last the front, so that what it accepts
//! can be done. Stop: the front ends its requests, workers and rules end theirs, the queues take
//! back what was not done, and the data is closed.

use std::{
    collections::BTreeMap, error::Error, fs, net::SocketAddr, process, sync::Arc, time::Duration,
};

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use embedded::{
    Endpoint, Services,
    dynamo::{Durability, Store},
    template::{LocalNames, Stack, Template},
};
use jiff::Timestamp;
use once::{
    App,
    access::Tokens,
    aws::{self, Aws},
    config::Config,
    env::VariableError,
    telemetry,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};
use tracing::{info, warn};

use crate::{
    data::{DATABASE, Data, PID},
    env_file,
    front::{Front, Server},
    functions::Functions,
    keys::Keys,
    rules::Minutes,
    settings,
};

/// The template of the functions that are part of this program.
const TEMPLATE: &str = include_str!("../../template.yaml");

/// How long workers and rules may run on after a stop.
const WORKER_DRAIN: Duration = Duration::from_secs(10);

/// What a process is started with.
#[derive(Debug)]
pub(crate) struct Options {
    /// Where the API listens.
    pub(crate) address: SocketAddr,
    /// The URL by which clients reach the API; that of the address if there is none.
    pub(crate) url: Option<String>,
    /// Where the services listen for other processes.
    pub(crate) services: SocketAddr,
    pub(crate) data: Data,
    pub(crate) durability: Durability,
    /// Parameters of the template, by name.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// A process that is ready to serve.
#[derive(Debug)]
pub(crate) struct Process {
    server: Server,
    endpoint: Endpoint,
    services: Services,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    // Dropped last, and then removed if it is temporary.
    data: Data,
}

impl Process {
    /// Opens the data and starts workers and rules. Clients may connect from now on.
    pub(crate) async fn start(options: Options) -> Result<Self, Box<dyn Error>> {
        let Options { address, url, services, data, durability, parameters } = options;
        let listener =
            TcpListener::bind(address).await.map_err(|error| refused(address, &error))?;
        let local_url = format!("http://{}", listener.local_addr()?);
        let url = url.unwrap_or(local_url);
        let keys = Keys::open(&data.path("keys.json"))?;
        let names = LocalNames::new("once", &url);
        let stack = resolve(parameters, &keys, &names)?;
        let variables = settings::variables(&stack.functions, &names.used())?;
        let config = configure(&variables, &url)?;
        telemetry::init_logs(&config.telemetry, std::io::stderr);

        let credentials = keys.links.clone();
        let store = Store::open(data.path(DATABASE), durability)?;
        let opened = Services::open(store, data.folder(), &stack, credentials, &url).await?;
        let endpoint = Endpoint::bind(services, opened.clone(), keys.access_key.clone())
            .await
            .map_err(|error| refused(services, &error))?;
        env_file::write(&data.path("env"), &variables, &keys, &url, endpoint.local_address()?)?;
        fs::write(data.path(PID), process::id().to_string())?;
        let app = App::new(config, aws(&keys, &url, opened.clone()));
        let released = opened.queues.release_in_flight(Timestamp::now()).await?;
        // What cannot be resumed now is resent by its rule, as on AWS: no reason not to serve.
        let settlements = app.settlement().resume(app.now()).await.unwrap_or_else(|cause| {
            warn!(%cause, "Settlements not resumed");
            0
        });
        if released > 0 || settlements > 0 {
            info!(messages = released, settlements, "Work of the process before is continued");
        }
        let Functions { api, workers, rules } = Functions::new(&stack, &app, &opened)?;
        let front =
            Front::new(settings::front(&stack)?, Arc::new(api)).with_files(opened.files.clone());
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for worker in workers {
            tasks.spawn(worker.run(stopped.clone()));
        }
        let expirations = stack.buckets.iter().flat_map(|bucket| &bucket.expirations);
        let expirations = expirations.map(|rule| (rule.prefix.clone(), rule.days)).collect();
        let minutes = Minutes { app, rules, services: opened.clone(), expirations };
        tasks.spawn(minutes.run(stopped));
        let server = Server::new(listener, front);
        Ok(Self { server, endpoint, services: opened, tasks, stop, data })
    }

    /// Returns the address of the API.
    pub(crate) fn url(&self) -> std::io::Result<String> {
        Ok(format!("http://{}", self.server.local_address()?))
    }

    /// Returns the file with the variables for other programs.
    pub(crate) fn env_file(&self) -> std::path::PathBuf {
        self.data.path("env")
    }

    /// Serves until `stopped` is ready, then ends what was begun.
    pub(crate) async fn serve(self, stopped: impl Future<Output = ()>) {
        let Self { server, endpoint, services, mut tasks, stop, data } = self;
        let mut stopping = stop.subscribe();
        let other_processes = tokio::spawn(endpoint.serve(async move {
            drop(stopping.wait_for(|stop| *stop).await);
        }));
        server.serve(stopped).await;
        stop.send_replace(true);
        let ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(WORKER_DRAIN, ended).await.is_err() {
            warn!("Workers did not end in time: aborting them");
            tasks.shutdown().await;
        }
        if let Err(error) = services.queues.release_in_flight(Timestamp::now()).await {
            warn!(%error, "Messages in flight come again after their visibility timeout");
        }
        drop(other_processes.await);
        drop((services, data));
    }
}

/// Resolves the template. Without other tokens, callers have those of the keys.
fn resolve(
    mut parameters: BTreeMap<String, String>,
    keys: &Keys,
    names: &LocalNames,
) -> Result<Stack, Box<dyn Error>> {
    for (name, token) in
        [("AdminTokenSha256", &keys.admin_token), ("ReadTokenSha256", &keys.read_token)]
    {
        parameters.entry(name.to_owned()).or_insert_with(|| Tokens::hash(token));
    }
    // There are no metrics of Lambda to report.
    parameters.entry("MetricsByFunction".to_owned()).or_insert_with(|| "false".to_owned());
    Ok(Template::parse(TEMPLATE)?.resolve(&parameters, names)?)
}

/// Reads the settings of all functions.
fn configure(variables: &BTreeMap<String, String>, url: &str) -> Result<Config, VariableError> {
    Config::read(|name| match name {
        // Functions call the services of this process, and not those of AWS.
        "AWS_ENDPOINT_URL" => Some(url.to_owned()),
        _ => variables.get(name).cloned(),
    })
}

/// Returns clients of the services.
fn aws(keys: &Keys, url: &str, services: Services) -> Aws {
    let keys = &keys.links;
    let credentials =
        Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "once");
    let config = SdkConfig::builder()
        .endpoint_url(url)
        .region(Region::new(LocalNames::REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(services)
        .build();
    Aws::new(aws::configure(config))
}

fn refused(address: SocketAddr, error: &dyn Error) -> String {
    format!("cannot listen on {address}: {error}")
}
