//! What is asked of CloudWatch, one line each: where it comes from and what it is called here.

use aws_sdk_cloudwatch::{
    Client,
    types::{Dimension, Metric as CloudWatch},
};

use super::{
    exposition::{Family, Metric},
    window::{Aggregation, Memory, MetricQuery, read, settled},
};
use crate::{
    aws::ServiceError,
    telemetry::NAMESPACE,
    time::{Minute, Timestamp},
};

/// One number of a window.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    pub metric: Metric,
    pub labels: &'static [(&'static str, &'static str)],
    /// Who counts it.
    pub of: Of,
    /// As CloudWatch calls it.
    pub name: &'static str,
    /// What of each minute: `Sum`, `Maximum`, `p99`.
    pub statistic: &'static str,
    /// How the minutes of the window become one number.
    pub fold: Aggregation,
}

/// Who counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// One of our functions, in its own words.
    Function(&'static str),
    /// API Gateway, for the API that is asked.
    Api,
    /// Lambda, for all functions of the account.
    Lambda,
}

const fn own(
    function: &'static str,
    name: &'static str,
    metric: &'static str,
    help: &'static str,
) -> Series {
    counted(Of::Function(function), name, metric, help)
}

const fn counted(of: Of, name: &'static str, metric: &'static str, help: &'static str) -> Series {
    let metric = Metric { name: metric, help };
    Series { metric, labels: &[], of, name, statistic: "Sum", fold: Aggregation::Sum }
}

/// With a label, where several functions count the same.
const fn labelled(labels: &'static [(&'static str, &'static str)], series: Series) -> Series {
    Series { labels, ..series }
}

/// A high percentile: of the window it is the worst minute's.
const fn worst(
    of: Of,
    name: &'static str,
    statistic: &'static str,
    labels: &'static [(&'static str, &'static str)],
    metric: Metric,
) -> Series {
    Series { metric, labels, of, name, statistic, fold: Aggregation::HighestInSeconds }
}

const SETTLEMENTS_FAILED: &str = "once_settlements_failed_5m";
const SETTLEMENTS_FAILED_HELP: &str =
    "Runs of settlement jobs that failed in the window, by the function that failed them";
const MISMATCHES: &str = "once_settlement_mismatches_5m";
const MISMATCHES_HELP: &str =
    "Settlements that failed in the window since sums that should agree did not";

const API_LATENCY: Metric = Metric {
    name: "once_api_latency_seconds_5m",
    help: "Time from a request at the gateway to its answer: the worst minute's percentile in the window",
};

const LAMBDA_DURATION: Metric = Metric {
    name: "once_account_lambda_duration_seconds_5m",
    help: "How long functions of the account ran: the worst minute's percentile in the window",
};

const SCHEDULE_LAG: Metric = Metric {
    name: "once_schedule_lag_seconds_5m",
    help: "How long after they were due occurrences began: the worst minute's percentile in the window",
};

/// All of them, those of one metric side by side.
pub const SERIES: &[Series] = &[
    own("order-create", "OrdersPlaced", "once_orders_placed_5m", "Orders placed in the window"),
    own("order-create", "UnitsSold", "once_units_sold_5m", "Units sold in the window"),
    own(
        "order-create",
        "OrdersRefused",
        "once_orders_refused_5m",
        "Orders refused in the window since stock was short",
    ),
    own(
        "order-create",
        "OrderConflicts",
        "once_order_conflicts_5m",
        "Tries of orders in the window that met another transaction",
    ),
    own(
        "order-cancel",
        "OrdersCancelled",
        "once_orders_cancelled_5m",
        "Orders cancelled in the window",
    ),
    own("accept", "AcceptedIds", "once_ids_accepted_5m", "Ids accepted in the window"),
    own(
        "accept",
        "DuplicateIds",
        "once_ids_duplicate_5m",
        "Ids that came in the window and were counted in their minute before",
    ),
    own(
        "accept",
        "FailedAccepts",
        "once_accepts_failed_5m",
        "Ids that could not be recorded in the window",
    ),
    own(
        "minute-close",
        "MinutesPublished",
        "once_minutes_published_5m",
        "Minutes whose count was published in the window",
    ),
    own(
        "minute-close",
        "UniqueIds",
        "once_unique_ids_published_5m",
        "Ids of the minutes that were published in the window",
    ),
    own(
        "minute-close",
        "CorrectedMinutes",
        "once_minutes_corrected_5m",
        "Minutes whose second count in the window was another one",
    ),
    own(
        "callback-send",
        "CallbacksDelivered",
        "once_callbacks_delivered_5m",
        "Callbacks that receivers took in the window",
    ),
    own(
        "callback-send",
        "CallbacksRefused",
        "once_callbacks_refused_5m",
        "Callbacks that were given up in the window",
    ),
    own(
        "company-compute",
        "FiguresComputed",
        "once_figures_computed_5m",
        "Company figures computed in the window",
    ),
    own(
        "settlement-finish",
        "SettlementsCompleted",
        "once_settlements_completed_5m",
        "Settlement jobs completed in the window",
    ),
    labelled(
        &[("function", "settlement-plan")],
        own("settlement-plan", "SettlementsFailed", SETTLEMENTS_FAILED, SETTLEMENTS_FAILED_HELP),
    ),
    labelled(
        &[("function", "settlement-batch")],
        own("settlement-batch", "SettlementsFailed", SETTLEMENTS_FAILED, SETTLEMENTS_FAILED_HELP),
    ),
    labelled(
        &[("function", "settlement-finish")],
        own("settlement-finish", "SettlementsFailed", SETTLEMENTS_FAILED, SETTLEMENTS_FAILED_HELP),
    ),
    labelled(
        &[("function", "settlement-give-up")],
        own("settlement-give-up", "SettlementsFailed", SETTLEMENTS_FAILED, SETTLEMENTS_FAILED_HELP),
    ),
    labelled(
        &[("function", "settlement-batch")],
        own("settlement-batch", "ControlTotalMismatches", MISMATCHES, MISMATCHES_HELP),
    ),
    labelled(
        &[("function", "settlement-finish")],
        own("settlement-finish", "ControlTotalMismatches", MISMATCHES, MISMATCHES_HELP),
    ),
    own(
        "schedule-run",
        "RunsCompleted",
        "once_runs_completed_5m",
        "Runs of scheduled jobs that were done in the window",
    ),
    own(
        "schedule-run",
        "RunsFailed",
        "once_runs_failed_5m",
        "Runs of scheduled jobs that failed for good in the window",
    ),
    own(
        "schedule-run",
        "RunsSkipped",
        "once_runs_skipped_5m",
        "Runs of scheduled jobs that were skipped in the window since another was live",
    ),
    worst(Of::Function("schedule-run"), "ScheduleLagMs", "p50", &[("stat", "p50")], SCHEDULE_LAG),
    worst(Of::Function("schedule-run"), "ScheduleLagMs", "p99", &[("stat", "p99")], SCHEDULE_LAG),
    counted(Of::Api, "Count", "once_api_requests_5m", "Requests to the API in the window"),
    counted(
        Of::Api,
        "4xx",
        "once_api_client_errors_5m",
        "Requests to the API that were answered 4xx in the window",
    ),
    counted(
        Of::Api,
        "5xx",
        "once_api_server_errors_5m",
        "Requests to the API that were answered 5xx in the window",
    ),
    worst(Of::Api, "Latency", "p50", &[("stat", "p50")], API_LATENCY),
    worst(Of::Api, "Latency", "p99", &[("stat", "p99")], API_LATENCY),
    counted(
        Of::Lambda,
        "Invocations",
        "once_account_lambda_invocations_5m",
        "Invocations in the window of all functions of the account in this region",
    ),
    counted(
        Of::Lambda,
        "Errors",
        "once_account_lambda_errors_5m",
        "Invocations that failed in the window, of all functions of the account in this region",
    ),
    counted(
        Of::Lambda,
        "Throttles",
        "once_account_lambda_throttles_5m",
        "Invocations that Lambda turned away in the window, of all functions of the account in this region",
    ),
    Series {
        metric: Metric {
            name: "once_account_lambda_concurrency_5m",
            help: "Invocations at the same time at most in the window, of all functions of the account in this region",
        },
        labels: &[],
        of: Of::Lambda,
        name: "ConcurrentExecutions",
        statistic: "Maximum",
        fold: Aggregation::Highest,
    },
    worst(Of::Lambda, "Duration", "p50", &[("stat", "p50")], LAMBDA_DURATION),
    worst(Of::Lambda, "Duration", "p99", &[("stat", "p99")], LAMBDA_DURATION),
];

impl Series {
    /// As CloudWatch is asked for it. `None`: which API it is about is not known.
    fn asked(&self, api: Option<&str>) -> Option<MetricQuery> {
        let (namespace, dimension) = match self.of {
            Of::Function(function) => (NAMESPACE, Some(("Function", function))),
            Of::Api => ("AWS/ApiGateway", Some(("ApiId", api?))),
            Of::Lambda => ("AWS/Lambda", None),
        };
        let dimension =
            dimension.map(|(name, value)| Dimension::builder().name(name).value(value).build());
        let of = CloudWatch::builder().namespace(namespace).metric_name(self.name);
        let of = of.set_dimensions(Some(dimension.into_iter().collect())).build();
        let labels = self.labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Some(MetricQuery {
            metric: self.metric,
            labels,
            of: vec![of],
            statistic: self.statistic,
            fold: self.fold,
        })
    }
}

/// What the features, the API and Lambda count, as one instance knows it: read once a minute, however often it is asked.
#[derive(Debug)]
pub struct CloudWatchMetrics {
    client: Client,
    last: Memory<(Minute, Option<String>)>,
}

impl CloudWatchMetrics {
    pub fn new(client: Client) -> Self {
        Self { client, last: Memory::default() }
    }

    /// What was counted, of the API with this id too.
    pub async fn families(
        &self,
        api: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Family>, ServiceError> {
        let end = settled(now);
        let counted = async {
            let asked: Vec<MetricQuery> =
                SERIES.iter().filter_map(|series| series.asked(api)).collect();
            read(&self.client, &asked, end).await
        };
        self.last.recall((end, api.map(str::to_owned)), counted).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_series_would_be_one_and_those_of_a_metric_stand_together() {
        let names: Vec<_> =
            SERIES.iter().map(|series| (series.metric.name, series.labels)).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let mut metrics: Vec<&str> = SERIES.iter().map(|series| series.metric.name).collect();
        metrics.dedup();
        assert_eq!(metrics.iter().collect::<BTreeSet<_>>().len(), metrics.len());
    }
}
