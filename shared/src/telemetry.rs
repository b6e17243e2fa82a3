//! Logs and metrics: both are lines on standard output, which Lambda brings to CloudWatch.
//!
//! A log line is a JSON object with `level`, `message`, its own fields, and under `span` the request it belongs to. A metric is a
//! line in CloudWatch's embedded metric format in the namespace `Once`, written at the end of each request by [`flush`];
//! features count with `metrics::counter!` wherever they are.

use std::{
    io,
    str::FromStr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use metrics_cloudwatch_embedded::{Builder, Collector};
use tracing::{Span, info_span, level_filters::LevelFilter, warn};
use tracing_subscriber::fmt;

/// How a log line is written.
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

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Starts logging and counting. `function` is a dimension of every metric.
pub fn init(function: &'static str, level: LevelFilter, format: Format) {
    let lines = fmt().with_max_level(level).with_target(false);
    match format {
        Format::Json => lines.json().flatten_event(true).with_span_list(false).init(),
        Format::Text => lines.compact().init(),
    }
    match Builder::new().cloudwatch_namespace("Once").with_dimension("Function", function).init() {
        Ok(collector) => drop(COLLECTOR.set(collector)),
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
    if let Some(collector) = COLLECTOR.get()
        && let Err(error) = collector.flush(io::stdout())
    {
        warn!(%error, "Metrics were not written");
    }
}
