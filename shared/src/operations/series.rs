//! The table of metrics that are read from CloudWatch, each with its source and its name here.

use super::{exposition::Metric, window::Aggregation};

/// One value of a window.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    pub metric: Metric,
    pub labels: &'static [(&'static str, &'static str)],
    pub publisher: Publisher,
    /// The metric's name in CloudWatch.
    pub name: &'static str,
    /// CloudWatch's statistic of each minute: `Sum`, `Maximum`, `p99`.
    pub statistic: &'static str,
    /// How the minutes of the window are aggregated.
    pub aggregation: Aggregation,
}

/// The service that writes a metric to CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publisher {
    /// This function of the deployment, in the namespace `Once`.
    Function(&'static str),
    /// API Gateway, for the API that received the request.
    Api,
    /// Lambda, for all functions of the account in this region.
    Lambda,
}

/// A sum that a function of the deployment counts.
const fn own(
    function: &'static str,
    name: &'static str,
    metric: &'static str,
    help: &'static str,
) -> Series {
    sum(Publisher::Function(function), name, metric, help)
}

const fn sum(
    publisher: Publisher,
    name: &'static str,
    metric: &'static str,
    help: &'static str,
) -> Series {
    let metric = Metric { name: metric, help };
    Series { metric, labels: &[], publisher, name, statistic: "Sum", aggregation: Aggregation::Sum }
}

/// The same series with labels, for a metric that several functions count.
const fn labeled(labels: &'static [(&'static str, &'static str)], series: Series) -> Series {
    Series { labels, ..series }
}

/// A percentile of durations: that of the window's worst minute, since percentiles of minutes
/// cannot be added.
const fn percentile(
    publisher: Publisher,
    name: &'static str,
    statistic: &'static str,
    labels: &'static [(&'static str, &'static str)],
    metric: Metric,
) -> Series {
    let aggregation = Aggregation::MaxInSeconds;
    Series { metric, labels, publisher, name, statistic, aggregation }
}

const SETTLEMENTS_FAILED: &str = "once_settlements_failed_5m";
const SETTLEMENTS_FAILED_HELP: &str =
    "Settlements that failed in the window, by the function that detected the failure";
const MISMATCHES: &str = "once_settlement_mismatches_5m";
const MISMATCHES_HELP: &str =
    "Settlements that failed in the window because their control totals did not match";

const API_LATENCY: Metric = Metric {
    name: "once_api_latency_seconds_5m",
    help: "Latency of requests at the gateway: percentile of the worst minute in the window",
};

const LAMBDA_DURATION: Metric = Metric {
    name: "once_account_lambda_duration_seconds_5m",
    help: "Duration of invocations of all functions of the account in this region: \
           percentile of the worst minute in the window",
};

const SCHEDULE_LAG: Metric = Metric {
    name: "once_schedule_lag_seconds_5m",
    help: "Delay from an occurrence's due time to the start of its run: \
           percentile of the worst minute in the window",
};

/// All series, those of one metric next to each other.
pub const SERIES: &[Series] = &[
    own("order-create", "OrdersPlaced", "once_orders_placed_5m", "Orders placed in the window"),
    own("order-create", "UnitsSold", "once_units_sold_5m", "Units sold in the window"),
    own(
        "order-create",
        "OrdersRefused",
        "once_orders_refused_5m",
        "Orders rejected in the window because the stock was insufficient",
    ),
    own(
        "order-create",
        "OrderConflicts",
        "once_order_conflicts_5m",
        "Attempts to place an order in the window that conflicted with another transaction",
    ),
    own(
        "order-cancel",
        "OrdersCancelled",
        "once_orders_cancelled_5m",
        "Orders canceled in the window",
    ),
    own("accept", "AcceptedIds", "once_ids_accepted_5m", "Ids accepted in the window"),
    own(
        "accept",
        "DuplicateIds",
        "once_ids_duplicate_5m",
        "Ids received in the window that were already counted in their minute",
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
        "Unique ids of the minutes that were published in the window",
    ),
    own(
        "minute-close",
        "CorrectedMinutes",
        "once_minutes_corrected_5m",
        "Published minutes whose recount in the window found another count",
    ),
    own(
        "callback-send",
        "CallbacksDelivered",
        "once_callbacks_delivered_5m",
        "Callbacks that receivers accepted in the window",
    ),
    own(
        "callback-send",
        "CallbacksRefused",
        "once_callbacks_refused_5m",
        "Callbacks that failed permanently in the window",
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
        "Settlements completed in the window",
    ),
    labeled(
        &[("function", "settlement-plan")],
        own("settlement-plan", "SettlementsFailed", SETTLEMENTS_FAILED, SETTLEMENTS_FAILED_HELP),
    ),
    labeled(
        &[("function", "settlement-batch")],
        own("settlement-batch", "SettlementsFailed", SETTLEMENTS_FAILED, SETTLEMENTS_FAILED_HELP),
    ),
    labeled(
        &[("function", "settlement-finish")],
        own("settlement-finish", "SettlementsFailed", SETTLEMENTS_FAILED, SETTLEMENTS_FAILED_HELP),
    ),
    labeled(
        &[("function", "settlement-dead-letter")],
        own(
            "settlement-dead-letter",
            "SettlementsFailed",
            SETTLEMENTS_FAILED,
            SETTLEMENTS_FAILED_HELP,
        ),
    ),
    labeled(
        &[("function", "settlement-batch")],
        own("settlement-batch", "ControlTotalMismatches", MISMATCHES, MISMATCHES_HELP),
    ),
    labeled(
        &[("function", "settlement-finish")],
        own("settlement-finish", "ControlTotalMismatches", MISMATCHES, MISMATCHES_HELP),
    ),
    own(
        "schedule-run",
        "RunsCompleted",
        "once_runs_completed_5m",
        "Runs of scheduled jobs that completed in the window",
    ),
    own(
        "schedule-run",
        "RunsFailed",
        "once_runs_failed_5m",
        "Runs of scheduled jobs that failed permanently in the window",
    ),
    own(
        "schedule-run",
        "RunsSkipped",
        "once_runs_skipped_5m",
        "Runs of scheduled jobs that were skipped in the window because another was running",
    ),
    percentile(
        Publisher::Function("schedule-run"),
        "ScheduleLagMs",
        "p50",
        &[("stat", "p50")],
        SCHEDULE_LAG,
    ),
    percentile(
        Publisher::Function("schedule-run"),
        "ScheduleLagMs",
        "p99",
        &[("stat", "p99")],
        SCHEDULE_LAG,
    ),
    sum(Publisher::Api, "Count", "once_api_requests_5m", "Requests to the API in the window"),
    sum(
        Publisher::Api,
        "4xx",
        "once_api_client_errors_5m",
        "Requests to the API with a 4xx response in the window",
    ),
    sum(
        Publisher::Api,
        "5xx",
        "once_api_server_errors_5m",
        "Requests to the API with a 5xx response in the window",
    ),
    percentile(Publisher::Api, "Latency", "p50", &[("stat", "p50")], API_LATENCY),
    percentile(Publisher::Api, "Latency", "p99", &[("stat", "p99")], API_LATENCY),
    sum(
        Publisher::Lambda,
        "Invocations",
        "once_account_lambda_invocations_5m",
        "Invocations of all functions of the account in this region in the window",
    ),
    sum(
        Publisher::Lambda,
        "Errors",
        "once_account_lambda_errors_5m",
        "Failed invocations of all functions of the account in this region in the window",
    ),
    sum(
        Publisher::Lambda,
        "Throttles",
        "once_account_lambda_throttles_5m",
        "Throttled invocations of all functions of the account in this region in the window",
    ),
    Series {
        metric: Metric {
            name: "once_account_lambda_concurrency_5m",
            help: "Maximum concurrent invocations of all functions of the account in this region \
                   in the window",
        },
        labels: &[],
        publisher: Publisher::Lambda,
        name: "ConcurrentExecutions",
        statistic: "Maximum",
        aggregation: Aggregation::Max,
    },
    percentile(Publisher::Lambda, "Duration", "p50", &[("stat", "p50")], LAMBDA_DURATION),
    percentile(Publisher::Lambda, "Duration", "p99", &[("stat", "p99")], LAMBDA_DURATION),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn series_are_distinct_and_those_of_a_metric_are_next_to_each_other() {
        let names: Vec<_> =
            SERIES.iter().map(|series| (series.metric.name, series.labels)).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let mut metrics: Vec<&str> = SERIES.iter().map(|series| series.metric.name).collect();
        metrics.dedup();
        assert_eq!(metrics.iter().collect::<BTreeSet<_>>().len(), metrics.len());
    }
}
