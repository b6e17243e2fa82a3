//! Load scenarios that drive a stack by its URL and then check its invariants: `once load`.

mod accept;
mod api;
mod burst;
mod figures;
mod latency;
mod orders;
mod report;
mod schedule;
mod settlement;
mod status;

use std::error::Error;

use clap::{Args, Subcommand};

use self::{
    api::Api,
    report::{Options, Run},
};

pub use self::status::status;

/// A scenario and how it is run.
#[derive(Debug, Args)]
pub struct Load {
    #[command(subcommand)]
    command: Command,
    /// Base URL of the stack, such as its output `ApiUrl`
    #[arg(long, global = true)]
    url: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// Where a stack is.
#[derive(Debug, Clone)]
pub struct Target {
    /// The base URL of its API.
    pub url: String,
    /// The bearer token of its requests, if it requires one.
    pub token: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Buyers compete for a product's units; fails unless each unit is sold once or is left
    Orders(orders::Scenario),
    /// Sends ids, some more than once; fails unless each minute's published count matches the
    /// answers
    Accept(accept::Scenario),
    /// Concurrent callers request the same figures of a company; fails unless all get the same
    /// ones, computed at most once
    Figures(figures::Scenario),
    /// A job calls a receiver every few seconds; fails unless each occurrence runs once
    Schedule(schedule::Scenario),
    /// Settles days of the ledger; fails unless the file is complete, balances and equals the
    /// expected one
    Settlement(settlement::Scenario),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Orders(_) => "orders",
            Self::Accept(_) => "accept",
            Self::Figures(_) => "figures",
            Self::Schedule(_) => "schedule",
            Self::Settlement(_) => "settlement",
        }
    }

    /// Runs the scenario. Of ids, it only sends them.
    async fn begin(
        self,
        api: &Api,
        url: &str,
        run: &Run,
    ) -> Result<Option<accept::Sent>, Box<dyn Error>> {
        match self {
            Self::Orders(scenario) => scenario.run(api, run).await?,
            Self::Accept(scenario) => return scenario.send(api, run).await.map(Some),
            Self::Figures(scenario) => scenario.run(api, run).await?,
            Self::Schedule(scenario) => scenario.run(api, url, run).await?,
            Self::Settlement(scenario) => scenario.run(api, run).await?,
        }
        Ok(None)
    }
}

impl Load {
    /// Returns the given URL.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Runs the scenario, prints its report, and returns its throughput in words. Fails if an
    /// invariant does not hold.
    pub async fn run(self, target: Target) -> Result<Vec<String>, Box<dyn Error>> {
        self.begin(target).await.finish().await
    }

    /// Runs the scenario. One that waits for the minutes of its ids is left where the wait begins.
    pub async fn begin(self, target: Target) -> Begun {
        // The functions use ring, too; a second provider would take a minute to compile. A run
        // before has installed it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let Self { command, options, .. } = self;
        let Target { url, token } = target;
        let run = Run::new(command.name(), &url, options);
        let sent = match Api::new(&url, token) {
            Ok(api) => {
                command.begin(&api, &url, &run).await.map(|sent| sent.map(|sent| (api, sent)))
            }
            Err(cause) => Err(cause.into()),
        };
        Begun { run, sent }
    }
}

/// A scenario that has sent its requests.
#[derive(Debug)]
pub struct Begun {
    run: Run,
    sent: Result<Option<(Api, accept::Sent)>, Box<dyn Error>>,
}

impl Begun {
    /// Waits for the rest, prints the report, and returns the throughput in words. Fails if an
    /// invariant does not hold.
    pub async fn finish(self) -> Result<Vec<String>, Box<dyn Error>> {
        let Self { run, sent } = self;
        let result = match sent {
            Ok(Some((api, sent))) => sent.check(&api, &run).await,
            Ok(None) => Ok(()),
            Err(cause) => Err(cause),
        };
        run.finish(result)
    }
}
