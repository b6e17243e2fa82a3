//! Lambda metrics and cold starts of each function of the stack.
//!
//! CloudWatch bills each requested metric. So only functions that ran in the last three hours are
//! read, and their metrics are read once per five minutes. The label `function` is the program
//! name; `route` contains the routes that the function serves.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::{
    Client,
    types::{Dimension, DimensionFilter, Metric, RecentlyActive},
};

use super::{
    exposition::{self, Family},
    window::{Aggregation, MetricQuery, WINDOW_MINUTES, WindowCache, read, window_end},
};
use crate::{
    aws::ServiceError,
    routes,
    telemetry::NAMESPACE,
    time::{Minute, Timestamp},
};

const DURATION: exposition::Metric = exposition::Metric {
    name: "once_function_duration_seconds_5m",
    help: "Duration of an invocation: percentile of the worst minute in the window",
};

/// The metrics of each function.
const FUNCTION_METRICS: [FunctionMetric; 7] = [
    FunctionMetric {
        metric: exposition::Metric {
            name: "once_function_invocations_5m",
            help: "Invocations in the window: requests, batches of messages or ticks",
        },
        ..FunctionMetric::LAMBDA
    },
    FunctionMetric {
        metric: exposition::Metric {
            name: "once_function_errors_5m",
            help: "Failed invocations in the window; a 4xx or 5xx response is not a failure",
        },
        name: "Errors",
        ..FunctionMetric::LAMBDA
    },
    FunctionMetric {
        metric: exposition::Metric {
            name: "once_function_throttles_5m",
            help: "Invocations that Lambda throttled in the window",
        },
        name: "Throttles",
        ..FunctionMetric::LAMBDA
    },
    FunctionMetric {
        metric: exposition::Metric {
            name: "once_function_concurrency_5m",
            help: "Maximum concurrent invocations in the window",
        },
        name: "ConcurrentExecutions",
        statistic: "Maximum",
        aggregation: Aggregation::Max,
        ..FunctionMetric::LAMBDA
    },
    FunctionMetric { statistic: "p50", stat: Some("p50"), ..FunctionMetric::DURATION },
    FunctionMetric { statistic: "p99", stat: Some("p99"), ..FunctionMetric::DURATION },
    FunctionMetric {
        metric: exposition::Metric {
            name: "once_function_cold_starts_5m",
            help: "Instances that handled their first request in the window",
        },
        publisher: Publisher::Function,
        name: "ColdStarts",
        ..FunctionMetric::LAMBDA
    },
];

/// The functions of a stack, with a cache of their last metrics.
#[derive(Debug)]
pub struct Functions {
    client: Client,
    stack: Option<String>,
    cache: WindowCache<Minute>,
}

#[derive(Debug, Clone, Copy)]
struct FunctionMetric {
    metric: exposition::Metric,
    publisher: Publisher,
    /// Its name in CloudWatch.
    name: &'static str,
    statistic: &'static str,
    aggregation: Aggregation,
    /// The value of the label `stat`, if the metric has it.
    stat: Option<&'static str>,
}

/// The service that writes a metric to CloudWatch.
#[derive(Debug, Clone, Copy)]
enum Publisher {
    /// Lambda; the dimension is the name that a function is deployed under.
    Lambda,
    /// The function itself; the dimension is its program name.
    Function,
}

/// Program names of functions, with the names that they are deployed under.
type DeployedNames = BTreeMap<String, Vec<String>>;

impl Functions {
    /// Creates the functions of this stack. Without a stack, CloudWatch is not called.
    pub fn new(client: Client, stack: Option<String>) -> Self {
        Self { client, stack, cache: WindowCache::default() }
    }

    /// Returns the metrics of the last five whole minutes by the clock (11:50 to 11:55, …) that
    /// ended at least one minute before the current minute.
    pub async fn families(&self, now: Timestamp) -> Result<Vec<Family>, ServiceError> {
        let Some(stack) = &self.stack else { return Ok(Vec::new()) };
        let end = window_end(now).floor(WINDOW_MINUTES);
        let read = async { read(&self.client, &queries(&self.active(stack).await?), end).await };
        self.cache.get_or_read(end, read).await
    }

    /// Returns the functions of the stack that ran in the last three hours.
    async fn active(&self, stack: &str) -> Result<DeployedNames, ServiceError> {
        let by_name = DimensionFilter::builder().name("FunctionName").build();
        let active = self
            .client
            .list_metrics()
            .namespace("AWS/Lambda")
            .metric_name("Invocations")
            .dimensions(by_name);
        let mut pages = active.recently_active(RecentlyActive::Pt3H).into_paginator().send();
        let mut deployed = DeployedNames::new();
        while let Some(page) = pages.next().await {
            for metric in page?.metrics.unwrap_or_default() {
                // With more dimensions it describes one version or alias, whose invocations the
                // function's own metric includes.
                let [name] = metric.dimensions() else { continue };
                let name = name.value().unwrap_or_default();
                if let Some(program) = program_name(stack, name) {
                    deployed.entry(program).or_default().push(name.to_owned());
                }
            }
        }
        Ok(deployed)
    }
}

impl FunctionMetric {
    const LAMBDA: Self = Self {
        metric: DURATION,
        publisher: Publisher::Lambda,
        name: "Invocations",
        statistic: "Sum",
        aggregation: Aggregation::Sum,
        stat: None,
    };
    const DURATION: Self =
        Self { name: "Duration", aggregation: Aggregation::MaxInSeconds, ..Self::LAMBDA };

    /// Returns the query of this metric of a program that is deployed under `names`.
    fn query(self, program: &str, names: &[String]) -> MetricQuery {
        let labels = [
            Some(("function", program.to_owned())),
            routes(program).map(|routes| ("route", routes)),
            self.stat.map(|stat| ("stat", stat.to_owned())),
        ];
        let labels = labels.into_iter().flatten().collect();
        let metrics = match self.publisher {
            Publisher::Lambda => names
                .iter()
                .map(|name| self.cloudwatch_metric("AWS/Lambda", "FunctionName", name))
                .collect(),
            Publisher::Function => vec![self.cloudwatch_metric(NAMESPACE, "Function", program)],
        };
        let Self { metric, statistic, aggregation, .. } = self;
        MetricQuery { metric, labels, metrics, statistic, aggregation }
    }

    fn cloudwatch_metric(&self, namespace: &str, dimension: &str, value: &str) -> Metric {
        let dimension = Dimension::builder().name(dimension).value(value).build();
        Metric::builder().namespace(namespace).metric_name(self.name).dimensions(dimension).build()
    }
}

/// Returns the queries of all metrics of these functions, those of one metric next to each other.
fn queries(deployed: &DeployedNames) -> Vec<MetricQuery> {
    let each = |metric: FunctionMetric| {
        deployed.iter().map(move |(program, names)| metric.query(program, names))
    };
    FUNCTION_METRICS.into_iter().flat_map(each).collect()
}

/// Returns the routes that a program serves: `POST /orders`, or `GET /openapi.yaml, GET /docs`.
/// `None` if it serves none.
fn routes(program: &str) -> Option<String> {
    let own = routes::routes().filter(|(_, row)| row.function == program);
    let routes: Vec<_> = own.map(|(route, _)| format!("{} {}", route.method, route.path)).collect();
    (!routes.is_empty()).then(|| routes.join(", "))
}

/// Returns the program that a function of `stack` runs, by its deployed name:
/// `once-OrderCreate-1a2B3c4D5e6F` of the stack `once` runs `order-create`.
fn program_name(stack: &str, deployed_name: &str) -> Option<String> {
    let rest = deployed_name.strip_prefix(stack)?.strip_prefix('-')?;
    let (logical_id, random) = rest.split_once('-')?;
    // Otherwise it is a function of another stack whose name starts with this one's.
    (!random.contains('-')).then(|| {
        let mut program = String::new();
        for letter in logical_id.chars() {
            if letter.is_ascii_uppercase() && !program.is_empty() {
                program.push('-');
            }
            program.push(letter.to_ascii_lowercase());
        }
        program
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_the_name_that_cloudformation_gives_its_function() {
        assert_eq!(
            program_name("once", "once-OrderCreate-1a2B3c4D5e6F").as_deref(),
            Some("order-create")
        );
        assert_eq!(
            program_name("my-shop", "my-shop-SettlementDeadLetter-x").as_deref(),
            Some("settlement-dead-letter")
        );
        for another in
            ["once", "once-", "once-OrderCreate", "twice-OrderCreate-x", "once-test-OrderCreate-x"]
        {
            assert_eq!(program_name("once", another), None, "{another}");
        }
    }

    #[test]
    fn an_endpoint_is_labeled_with_its_routes() {
        assert_eq!(routes("order-create").as_deref(), Some("POST /orders"));
        assert_eq!(routes("openapi-get").as_deref(), Some("GET /openapi.yaml, GET /docs"));
        assert_eq!(routes("settlement-batch"), None);
    }
}
