//! What a run came to: how fast, what was answered, what must hold and whether it does; as a text, and as one HTML page that needs no other file.

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

/// How a run is bounded, and where its report goes.
#[derive(Debug, Args)]
pub struct Options {
    /// Seconds after which nothing new is sent
    #[arg(long, global = true, default_value_t = 600)]
    at_most_s: u64,
    /// A file for the report, one HTML page
    #[arg(long, global = true)]
    html: Option<PathBuf>,
}

/// A run of a scenario.
#[derive(Debug)]
pub struct Run {
    options: Options,
    begun: Instant,
    report: RefCell<Report>,
}

/// What it came to.
#[derive(Debug)]
struct Report {
    scenario: &'static str,
    stack: String,
    at: Timestamp,
    facts: Vec<String>,
    crowds: Vec<Told>,
    checks: Vec<Check>,
    series: Vec<Series>,
}

/// What came of many requests.
#[derive(Debug)]
struct Told {
    what: String,
    outcomes: BTreeMap<String, u32>,
    summary: String,
}

/// Something that must hold.
#[derive(Debug)]
struct Check {
    text: String,
    holds: bool,
}

/// Values over the seconds of the run.
#[derive(Debug)]
pub struct Series {
    /// What they are, with their unit.
    pub name: String,
    /// Seconds after the beginning, and the value.
    pub points: Vec<(f64, f64)>,
}

/// Something did not hold.
#[derive(Debug)]
struct Broken(Vec<String>);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it does not hold that {}", self.0.join("; nor that "))
    }
}

impl Error for Broken {}

impl Run {
    /// Of this scenario, from now on.
    pub fn of(scenario: &'static str, stack: &str, options: Options) -> Self {
        let (at, stack) = (Timestamp::now(), stack.to_owned());
        let (facts, crowds, checks, series) = Default::default();
        let report = Report { scenario, stack, at, facts, crowds, checks, series };
        Self { options, begun: Instant::now(), report: RefCell::new(report) }
    }

    /// How long new requests may be sent from now on.
    pub fn left(&self) -> Duration {
        Duration::from_secs(self.options.at_most_s).saturating_sub(self.begun.elapsed())
    }

    /// Seconds since it began.
    pub fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Says something, here and in the report.
    pub fn say(&self, fact: impl fmt::Display) {
        println!("{fact}");
        self.report.borrow_mut().facts.push(fact.to_string());
    }

    /// Tells what came of many requests, and how fast.
    pub fn tell(
        &self,
        what: &str,
        outcomes: &BTreeMap<String, u32>,
        took: Duration,
        sent: u64,
        times: &Latencies,
    ) {
        for (outcome, count) in outcomes {
            println!("{count:>6}  {outcome}");
        }
        println!("{sent:>6}  requests in all: what is turned away (429, 503) is sent again");
        let seconds = took.as_secs_f64();
        let rate = f64::from(outcomes.values().sum::<u32>()) / seconds;
        let summary = format!("{seconds:.1} s, {rate:.0} {what} answered a second; {times}");
        println!("{summary}");
        let told = Told { what: what.to_owned(), outcomes: outcomes.clone(), summary };
        self.report.borrow_mut().crowds.push(told);
    }

    /// What was measured on the way.
    pub fn measured(&self, series: Series) {
        self.report.borrow_mut().series.push(series);
    }

    /// What must hold, and whether it does.
    pub fn holds(&self, text: impl Into<String>, holds: bool) {
        let text = text.into();
        println!("{} {text}", if holds { "holds:" } else { "DOES NOT HOLD:" });
        self.report.borrow_mut().checks.push(Check { text, holds });
    }

    /// Writes the report; fails if something did not hold, or if the run itself has failed.
    pub fn end(self, ended: Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
        let took = self.begun.elapsed();
        let mut report = self.report.into_inner();
        if let Err(failure) = &ended {
            report.facts.push(format!("It failed: {failure}"));
        }
        if let Some(file) = &self.options.html {
            fs::write(file, page::html(&report, took)).map_err(|cause| named(file, &cause))?;
            println!("The report is {}", file.display());
        }
        ended?;
        let broken: Vec<_> = report
            .checks
            .into_iter()
            .filter(|check| !check.holds)
            .map(|check| check.text)
            .collect();
        if broken.is_empty() { Ok(()) } else { Err(Broken(broken).into()) }
    }
}

fn named(file: &std::path::Path, cause: &io::Error) -> String {
    format!("{}: {cause}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(html: Option<PathBuf>) -> Run {
        Run::of("orders", "http://stack", Options { at_most_s: 5, html })
    }

    #[test]
    fn a_run_fails_if_one_thing_does_not_hold_and_says_which() {
        let run = run(None);
        run.holds("one is one", true);
        run.holds("one is two", false);
        let error = run.end(Ok(())).expect_err("one thing");
        assert_eq!(error.to_string(), "it does not hold that one is two");
    }

    #[test]
    fn a_run_is_bounded() {
        assert!(run(None).left() <= Duration::from_secs(5));
        let none = Run::of("orders", "", Options { at_most_s: 0, html: None });
        assert_eq!(none.left(), Duration::ZERO);
    }

    #[test]
    fn the_page_is_written_also_of_a_run_that_failed() {
        let file = std::env::temp_dir().join(format!("load-{}.html", uuid::Uuid::now_v7()));
        run(Some(file.clone())).end(Err("no <answer>".into())).expect_err("it failed");
        let page = fs::read_to_string(&file).expect("a page");
        fs::remove_file(&file).expect("it is there");
        assert!(page.contains("no &lt;answer&gt;"), "{page}");
    }
}
