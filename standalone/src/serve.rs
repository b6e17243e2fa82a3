//! `once serve`

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use embedded::dynamo::Durability;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    data::Data,
    process::{Options, Process},
};

/// The options of `once serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Port of the API; 0: a free one
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Address of the API. Without TLS: beyond this machine it needs a proxy in front
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// URL by which clients reach the API, such as that of a proxy; links to files begin with it
    #[arg(long)]
    url: Option<String>,
    /// Port of the AWS endpoint for other programs, on the loopback interface; 0: a free one
    #[arg(long, default_value_t = 0)]
    aws_port: u16,
    /// Folder of the data; created if it does not exist
    #[arg(long, default_value = "data", conflicts_with = "memory")]
    data: PathBuf,
    /// Keep the data in memory: it ends with the process
    #[arg(long)]
    memory: bool,
    /// What an answered write survives: a power failure (full) or the death of the process (normal)
    #[arg(long, value_enum, default_value_t = DurabilityOption::Full, conflicts_with = "memory")]
    durability: DurabilityOption,
    /// Parameter of template.yaml, such as `LogLevel=debug`; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DurabilityOption {
    Full,
    Normal,
}

impl Serve {
    /// Serves until the process is asked to end (SIGTERM, SIGINT). A second signal ends it at once.
    ///
    /// # Errors
    /// The data cannot be opened, an address is in use, or a parameter is invalid.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let mut signals = Signals::listen()?;
        let process = Process::start(self.options()?).await?;
        println!("Once serves {}", process.url()?);
        println!("Variables for other programs: {}", process.env_file().display());
        let stop = async move {
            signals.next().await;
            tokio::spawn(async move {
                signals.next().await;
                std::process::exit(130);
            });
        };
        process.serve(stop).await;
        Ok(())
    }

    /// Returns the folder of the data, unless it is in memory.
    pub(crate) fn folder(&self) -> Option<&Path> {
        (!self.memory).then_some(&self.data)
    }

    fn options(self) -> Result<Options, Box<dyn Error>> {
        let data = if self.memory { Data::temporary() } else { Data::open(&self.data) };
        Ok(Options {
            address: SocketAddr::new(self.address, self.port),
            url: self.url,
            services: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.aws_port),
            data: data.map_err(|error| format!("{}: {error}", self.data.display()))?,
            durability: match self.durability {
                DurabilityOption::Full if !self.memory => Durability::Full,
                _ => Durability::Normal,
            },
            parameters: self.parameters.into_iter().collect(),
        })
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
