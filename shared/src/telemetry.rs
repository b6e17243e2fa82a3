//! Logs and metrics: both are lines on standard output, which Lambda brings to CloudWatch.
//!
//! A log line is a JSON object with `level`, `message`, its own fields, and under `span` the request it belongs to. A metric is a
//! line in CloudWatch's embedded metric format in the namespace `Once`, written at the end of a request if the last one is long
//! enough ago, and when the instance ends; features count with `metrics::counter!` wherever they are.

use std::{
    io,
    str::FromStr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use metrics_cloudwatch_embedded::{Builder, Collector};
use tracing::{Span, info_span, level_filters::LevelFilter, warn};
use tracing_subscriber::fmt;

use crate::env::{VariableError, Variables};

/// Where the metrics are, beside the services' own.
pub const NAMESPACE: &str = "Once";

/// How a process logs and measures.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The least severe level that is logged.
    pub level: LevelFilter,
    /// The format of a log line.
    pub format: Format,
    /// The shortest time between two writes of the metrics.
    pub metrics_interval: Duration,
}

impl Settings {
    /// Reads `LOG_LEVEL`, `LOG_FORMAT` and `METRICS_INTERVAL_MS`.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        Ok(Self {
            level: variables.parsed("LOG_LEVEL", LevelFilter::INFO)?,
            format: variables.parsed("LOG_FORMAT", Format::Json)?,
            metrics_interval: variables.millis("METRICS_INTERVAL_MS", 0, 0..=60_000)?,
        })
    }
}

/// The format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people at a terminal.
    Text,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err("must be json or text"),
        }
    }
}

static METRICS: OnceLock<Metrics> = OnceLock::new();

struct Metrics {
    collector: &'static Collector,
    interval: Duration,
    began: Instant,
    /// Milliseconds after `began` at which they are due.
    due: AtomicU64,
}

/// Starts logs and metrics. `function` is a dimension of every metric.
pub fn init(function: &'static str, settings: &Settings) {
    let Settings { level, format, metrics_interval } = *settings;
    let lines = fmt().with_max_level(level).with_target(false);
    match format {
        Format::Json => lines.json().flatten_event(true).with_span_list(false).init(),
        Format::Text => lines.compact().init(),
    }
    match Builder::new().cloudwatch_namespace(NAMESPACE).with_dimension("Function", function).init()
    {
        Ok(collector) => {
            let (began, due) = (Instant::now(), AtomicU64::new(0));
            drop(METRICS.set(Metrics { collector, interval: metrics_interval, began, due }));
        }
        Err(error) => warn!(%error, "Metrics are not collected"),
    }
}

/// The span that every log line of a request stands in.
#[must_use]
pub fn request_span(function: &'static str, request_id: &str) -> Span {
    static WARM: AtomicBool = AtomicBool::new(false);
    let cold_start = !WARM.swap(true, Ordering::Relaxed);
    if cold_start {
        metrics::counter!("ColdStarts").increment(1);
    }
    info_span!("request", function, request_id, cold_start)
}

/// Writes what was counted since the last time.
pub fn flush() {
    if let Some(metrics) = METRICS.get()
        && let Err(error) = metrics.collector.flush(io::stdout())
    {
        warn!(%error, "Metrics were not written");
    }
}

/// Writes what was counted, if the last time is long enough ago.
pub fn flush_when_due() {
    let Some(metrics) = METRICS.get() else { return };
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let now = millis(metrics.began.elapsed());
    let due = metrics.due.load(Ordering::Relaxed);
    let next = now.saturating_add(millis(metrics.interval));
    // Of many requests that end at the same time one writes.
    if now >= due
        && metrics.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    {
        flush();
    }
}
