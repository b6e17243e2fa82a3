//! What Lambda measures of each function of the stack, and how often each began anew.
//!
//! CloudWatch is asked which functions ran in the last hours, so that those that rest cost nothing, and for their numbers once in five
//! minutes: it bills each number that is asked for. A function is told by its folder, and with the routes that it serves.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::{
    Client,
    types::{Dimension, DimensionFilter, Metric, RecentlyActive},
};

use super::{
    exposition::{self, Family},
    window::{Aggregation, MINUTES, Memory, MetricQuery, read, settled},
};
use crate::{
    aws::ServiceError,
    routes,
    telemetry::NAMESPACE,
    time::{Minute, Timestamp},
};

const DURATION: exposition::Metric = exposition::Metric {
    name: "once_function_duration_seconds_5m",
    help: "How long the function ran for an invocation: the worst minute's percentile in the window",
};

/// What is asked of each function.
const MEASURED: [Measured; 7] = [
    Measured {
        metric: exposition::Metric {
            name: "once_function_invocations_5m",
            help: "Invocations in the window: requests, batches of messages, ticks",
        },
        ..Measured::LAMBDA
    },
    Measured {
        metric: exposition::Metric {
            name: "once_function_errors_5m",
            help: "Invocations that failed in the window; an answer of 4xx or 5xx is no such failure",
        },
        name: "Errors",
        ..Measured::LAMBDA
    },
    Measured {
        metric: exposition::Metric {
            name: "once_function_throttles_5m",
            help: "Invocations that Lambda turned away in the window",
        },
        name: "Throttles",
        ..Measured::LAMBDA
    },
    Measured {
        metric: exposition::Metric {
            name: "once_function_concurrency_5m",
            help: "Invocations at the same time at most in the window",
        },
        name: "ConcurrentExecutions",
        statistic: "Maximum",
        fold: Aggregation::Highest,
        ..Measured::LAMBDA
    },
    Measured { statistic: "p50", stat: Some("p50"), ..Measured::DURATION },
    Measured { statistic: "p99", stat: Some("p99"), ..Measured::DURATION },
    Measured {
        metric: exposition::Metric {
            name: "once_function_cold_starts_5m",
            help: "Instances that took their first request in the window",
        },
        by: By::Once,
        name: "ColdStarts",
        ..Measured::LAMBDA
    },
];

/// The functions of a stack, as one instance knows them.
#[derive(Debug)]
pub struct Functions {
    client: Client,
    stack: Option<String>,
    last: Memory<Minute>,
}

#[derive(Debug, Clone, Copy)]
struct Measured {
    metric: exposition::Metric,
    by: By,
    name: &'static str,
    statistic: &'static str,
    fold: Aggregation,
    stat: Option<&'static str>,
}

/// Who measures.
#[derive(Debug, Clone, Copy)]
enum By {
    /// Lambda, which knows a function by the name that it is deployed under.
    Lambda,
    /// The function itself, which knows the name of its folder.
    Once,
}

/// Folders of functions, with the names that they are deployed under.
type Deployed = BTreeMap<String, Vec<String>>;

impl Functions {
    /// Of no stack: nothing is asked for.
    pub fn new(client: Client, stack: Option<String>) -> Self {
        Self { client, stack, last: Memory::default() }
    }

    /// What was measured in the last five whole minutes by the clock, but for the newest.
    pub async fn families(&self, now: Timestamp) -> Result<Vec<Family>, ServiceError> {
        let Some(stack) = &self.stack else { return Ok(Vec::new()) };
        let end = settled(now).floor(MINUTES);
        let measured =
            async { read(&self.client, &asked(&self.deployed(stack).await?), end).await };
        self.last.recall(end, measured).await
    }

    /// The functions that ran in the last three hours.
    async fn deployed(&self, stack: &str) -> Result<Deployed, ServiceError> {
        let by_name = DimensionFilter::builder().name("FunctionName").build();
        let ran = self
            .client
            .list_metrics()
            .namespace("AWS/Lambda")
            .metric_name("Invocations")
            .dimensions(by_name);
        let mut pages = ran.recently_active(RecentlyActive::Pt3H).into_paginator().send();
        let mut deployed = Deployed::new();
        while let Some(page) = pages.next().await {
            for metric in page?.metrics.unwrap_or_default() {
                // With more dimensions it is of one version or alias, and counted here already.
                let [name] = metric.dimensions() else { continue };
                let name = name.value().unwrap_or_default();
                if let Some(folder) = folder(stack, name) {
                    deployed.entry(folder).or_default().push(name.to_owned());
                }
            }
        }
        Ok(deployed)
    }
}

impl Measured {
    const LAMBDA: Self = Self {
        metric: DURATION,
        by: By::Lambda,
        name: "Invocations",
        statistic: "Sum",
        fold: Aggregation::Sum,
        stat: None,
    };
    const DURATION: Self =
        Self { name: "Duration", fold: Aggregation::HighestInSeconds, ..Self::LAMBDA };

    fn of(self, folder: &str, names: &[String]) -> MetricQuery {
        let labels = [
            Some(("function", folder.to_owned())),
            routes(folder).map(|routes| ("route", routes)),
            self.stat.map(|stat| ("stat", stat.to_owned())),
        ];
        let of = match self.by {
            By::Lambda => {
                names.iter().map(|name| self.told("AWS/Lambda", "FunctionName", name)).collect()
            }
            By::Once => vec![self.told(NAMESPACE, "Function", folder)],
        };
        let Self { metric, statistic, fold, .. } = self;
        MetricQuery { metric, labels: labels.into_iter().flatten().collect(), of, statistic, fold }
    }

    fn told(&self, namespace: &str, dimension: &str, value: &str) -> Metric {
        let dimension = Dimension::builder().name(dimension).value(value).build();
        Metric::builder().namespace(namespace).metric_name(self.name).dimensions(dimension).build()
    }
}

fn asked(deployed: &Deployed) -> Vec<MetricQuery> {
    let each =
        |measured: Measured| deployed.iter().map(move |(folder, names)| measured.of(folder, names));
    MEASURED.into_iter().flat_map(each).collect()
}

/// `POST /orders`; several, if it serves several; none, if it is no endpoint.
fn routes(folder: &str) -> Option<String> {
    let own = routes::routes().filter(|(_, row)| row.function == folder);
    let routes: Vec<_> = own.map(|(route, _)| format!("{} {}", route.method, route.path)).collect();
    (!routes.is_empty()).then(|| routes.join(", "))
}

/// `once-OrderCreate-1a2B3c4D5e6F` of the stack `once` is `order-create`.
fn folder(stack: &str, name: &str) -> Option<String> {
    let (logical_id, random) = name.strip_prefix(stack)?.strip_prefix('-')?.split_once('-')?;
    // Or it is a function of another stack, whose name begins as this one's.
    (!random.contains('-')).then(|| {
        let mut folder = String::new();
        for letter in logical_id.chars() {
            if letter.is_ascii_uppercase() && !folder.is_empty() {
                folder.push('-');
            }
            folder.push(letter.to_ascii_lowercase());
        }
        folder
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_known_by_the_name_that_cloudformation_gives_it() {
        assert_eq!(
            folder("once", "once-OrderCreate-1a2B3c4D5e6F").as_deref(),
            Some("order-create")
        );
        assert_eq!(
            folder("my-shop", "my-shop-SettlementGiveUp-x").as_deref(),
            Some("settlement-give-up")
        );
        for another in
            ["once", "once-", "once-OrderCreate", "twice-OrderCreate-x", "once-test-OrderCreate-x"]
        {
            assert_eq!(folder("once", another), None, "{another}");
        }
    }

    #[test]
    fn an_endpoint_is_told_by_its_routes() {
        assert_eq!(routes("order-create").as_deref(), Some("POST /orders"));
        assert_eq!(routes("openapi-get").as_deref(), Some("GET /openapi.yaml, GET /docs"));
        assert_eq!(routes("settlement-batch"), None);
    }
}
