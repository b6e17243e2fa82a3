//! Logs and metrics: lines on standard output, which Lambda sends to CloudWatch.
//!
//! A log line is a JSON object with `level`, `message`, its own fields, and under `span` the
//! request to which it belongs. Metrics are lines in CloudWatch's embedded metric format, in the
//! namespace `Once`. They are written at the end of a request, at most once per interval, and when
//! the instance ends. Features count with `metrics::counter!`.

use std::{
    io,
    str::FromStr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use metrics_cloudwatch_embedded::{Builder, Collector};
use tracing::{Span, info_span, level_filters::LevelFilter, warn};
use tracing_subscriber::fmt::{self, MakeWriter};

use crate::{
    env::{VariableError, Variables},
    time::Timestamp,
};

/// The CloudWatch namespace of the metrics.
pub const NAMESPACE: &str = "Once";

/// The settings of logs and metrics.
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
    /// One JSON object per line.
    Json,
    /// For reading in a terminal.
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
    /// When the last write was, in milliseconds since 1970: the wall clock goes on while an
    /// instance is frozen.
    written_at: AtomicI64,
}

/// Starts logs and metrics. `function` is a dimension of every metric.
pub fn init(function: &'static str, settings: &Settings) {
    let Settings { metrics_interval, .. } = *settings;
    init_logs(settings, io::stdout);
    match Builder::new().cloudwatch_namespace(NAMESPACE).with_dimension("Function", function).init()
    {
        Ok(collector) => {
            let (interval, written_at) = (metrics_interval, AtomicI64::new(0));
            drop(METRICS.set(Metrics { collector, interval, written_at }));
        }
        Err(error) => warn!(%error, "Metrics not collected"),
    }
}

/// Starts logs, and no metrics.
pub fn init_logs<W>(settings: &Settings, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::fmt().with_max_level(settings.level).with_target(false).with_writer(writer);
    match settings.format {
        Format::Json => lines.json().flatten_event(true).with_span_list(false).init(),
        Format::Text => lines.compact().init(),
    }
}

/// Makes the span of a request, to which its log lines belong. Counts cold starts.
#[must_use]
pub fn request_span(function: &'static str, request_id: &str) -> Span {
    static WARM: AtomicBool = AtomicBool::new(false);
    let cold_start = !WARM.swap(true, Ordering::Relaxed);
    if cold_start {
        metrics::counter!("ColdStarts").increment(1);
    }
    info_span!("request", function, request_id, cold_start)
}

/// Writes the metrics since the last write.
pub fn flush() {
    if let Some(metrics) = METRICS.get()
        && let Err(error) = metrics.collector.flush(io::stdout())
    {
        warn!(%error, "Metrics not written");
    }
}

/// Writes the metrics if the interval since the last write has passed.
pub fn flush_when_due() {
    let Some(metrics) = METRICS.get() else { return };
    let now = Timestamp::now();
    let last = metrics.written_at.load(Ordering::Relaxed);
    let exchange = |now: Timestamp| {
        let (now, order) = (now.as_millis(), Ordering::Relaxed);
        metrics.written_at.compare_exchange(last, now, order, order).is_ok()
    };
    // Of requests that end at the same time, one writes.
    if is_due(Timestamp::from_millis(last), now, metrics.interval) && exchange(now) {
        flush();
    }
}

/// Returns whether an interval has passed since the last write. A write of the future is from
/// before the clock was set back.
fn is_due(last: Timestamp, now: Timestamp, interval: Duration) -> bool {
    !(last..last.plus(interval)).contains(&now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_due_after_the_interval_and_after_the_clock_was_set_back() {
        let time = |seconds: i64| Timestamp::from_millis(1_795_216_800_000 + seconds * 1_000);
        let interval = Duration::from_secs(10);
        for (now, due) in [(0, false), (9, false), (10, true), (3_600, true), (-1, true)] {
            assert_eq!(is_due(time(0), time(now), interval), due, "{now}");
        }
        assert!(is_due(time(0), time(0), Duration::ZERO));
    }
}
