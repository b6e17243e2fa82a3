//! The report of a run: outcomes, throughput, and the invariants with their results, as text on
//! standard output and as one self-contained HTML page.

mod page;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    error::Error,
    fmt, fs, io,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use jiff::Timestamp;

use crate::latency::Latencies;

/// Time limit of a run and destination of its report.
#[derive(Debug, Args)]
pub struct Options {
    /// Seconds after which no new requests are sent
    #[arg(long, global = true, default_value_t = 600)]
    at_most_s: u64,
    /// File to write the report to, as one HTML page
    #[arg(long, global = true)]
    html: Option<PathBuf>,
}

/// A run of a scenario.
#[derive(Debug)]
pub struct Run {
    options: Options,
    start: Instant,
    report: RefCell<Report>,
}

/// Everything that the report of a run shows.
#[derive(Debug)]
struct Report {
    scenario: &'static str,
    stack: String,
    at: Timestamp,
    notes: Vec<String>,
    bursts: Vec<BurstSummary>,
    invariants: Vec<Invariant>,
    series: Vec<Series>,
}

/// Outcomes and throughput of a burst of requests.
#[derive(Debug)]
struct BurstSummary {
    name: String,
    counts: BTreeMap<String, u32>,
    throughput: String,
}

/// An invariant and its result.
#[derive(Debug)]
struct Invariant {
    text: String,
    holds: bool,
}

/// Values over the time of the run.
#[derive(Debug)]
pub struct Series {
    /// Name of the values, with their unit.
    pub name: String,
    /// Seconds since the start of the run, and the value at that time.
    pub points: Vec<(f64, f64)>,
}

/// Invariants that do not hold.
#[derive(Debug)]
struct Violations(Vec<String>);

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariants that do not hold: {}", self.0.join("; "))
    }
}

impl Error for Violations {}

impl Run {
    /// Starts a run of this scenario.
    pub fn new(scenario: &'static str, stack: &str, options: Options) -> Self {
        let (at, stack) = (Timestamp::now(), stack.to_owned());
        let (notes, bursts, invariants, series) = Default::default();
        let report = Report { scenario, stack, at, notes, bursts, invariants, series };
        Self { options, start: Instant::now(), report: RefCell::new(report) }
    }

    /// Returns the time left for new requests.
    pub fn remaining(&self) -> Duration {
        Duration::from_secs(self.options.at_most_s).saturating_sub(self.start.elapsed())
    }

    /// Returns the seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Prints a note and adds it to the report.
    pub fn note(&self, note: impl fmt::Display) {
        println!("{note}");
        self.report.borrow_mut().notes.push(note.to_string());
    }

    /// Prints the outcomes and the throughput of a burst and adds them to the report.
    pub fn outcomes(
        &self,
        name: &str,
        counts: &BTreeMap<String, u32>,
        took: Duration,
        sent: u64,
        latencies: &Latencies,
    ) {
        for (outcome, count) in counts {
            println!("{count:>6}  {outcome}");
        }
        println!("{sent:>6}  requests in total, retries of throttled ones (429, 503) included");
        let seconds = took.as_secs_f64();
        let rate = f64::from(counts.values().sum::<u32>()) / seconds;
        let throughput =
            format!("{seconds:.1} s, {rate:.0} {name} answered per second; {latencies}");
        println!("{throughput}");
        let summary = BurstSummary { name: name.to_owned(), counts: counts.clone(), throughput };
        self.report.borrow_mut().bursts.push(summary);
    }

    /// Adds measured values to the report.
    pub fn series(&self, series: Series) {
        self.report.borrow_mut().series.push(series);
    }

    /// Prints an invariant with its result and adds it to the report.
    pub fn invariant(&self, text: impl Into<String>, holds: bool) {
        let text = text.into();
        println!("{} {text}", if holds { "holds:" } else { "DOES NOT HOLD:" });
        self.report.borrow_mut().invariants.push(Invariant { text, holds });
    }

    /// Writes the report, and returns the throughput of its bursts. Fails if the run failed or an
    /// invariant does not hold.
    pub fn finish(self, result: Result<(), Box<dyn Error>>) -> Result<Vec<String>, Box<dyn Error>> {
        let took = self.start.elapsed();
        let mut report = self.report.into_inner();
        if let Err(failure) = &result {
            report.notes.push(format!("Run failed: {failure}"));
        }
        if let Some(file) = &self.options.html {
            fs::write(file, page::html(&report, took)).map_err(|cause| named(file, &cause))?;
            println!("Report: {}", file.display());
        }
        result?;
        let violations: Vec<_> = report
            .invariants
            .into_iter()
            .filter(|invariant| !invariant.holds)
            .map(|invariant| invariant.text)
            .collect();
        if !violations.is_empty() {
            return Err(Violations(violations).into());
        }
        Ok(report.bursts.into_iter().map(|burst| burst.throughput).collect())
    }
}

fn named(file: &std::path::Path, cause: &io::Error) -> String {
    format!("{}: {cause}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(html: Option<PathBuf>) -> Run {
        Run::new("orders", "http://stack", Options { at_most_s: 5, html })
    }

    #[test]
    fn a_run_fails_if_an_invariant_does_not_hold_and_names_it() {
        let run = run(None);
        run.invariant("one is one", true);
        run.invariant("one is two", false);
        let error = run.finish(Ok(())).expect_err("a violation");
        assert_eq!(error.to_string(), "invariants that do not hold: one is two");
    }

    #[test]
    fn a_run_has_a_time_limit() {
        assert!(run(None).remaining() <= Duration::from_secs(5));
        let none = Run::new("orders", "", Options { at_most_s: 0, html: None });
        assert_eq!(none.remaining(), Duration::ZERO);
    }

    #[test]
    fn the_page_of_a_failed_run_is_written_and_escaped() {
        let file = std::env::temp_dir().join(format!("load-{}.html", uuid::Uuid::now_v7()));
        run(Some(file.clone())).finish(Err("no <answer>".into())).expect_err("a failed run");
        let page = fs::read_to_string(&file).expect("a page");
        fs::remove_file(&file).expect("a file to remove");
        assert!(page.contains("no &lt;answer&gt;"), "{page}");
    }
}
