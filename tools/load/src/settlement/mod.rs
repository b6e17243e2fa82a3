//! The scenario `settlement`: settles days of the ledger and compares the file with the status of
//! its job and with the expected bytes.
//!
//! Invariants: the file has all transactions that the job counted, and equals the expected file, if
//! one is given. A file with an invalid line, a row that does not balance, or a SHA-256 other than
//! its `ETag` fails the run.

mod csv_report;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use self::csv_report::{CsvTotals, difference};
use crate::{
    api::{Answer, Api},
    report::{Run, Series},
};

const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two progress lines, where no terminal shows the bar.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Arguments of the scenario. The default days are those that `seed` fills by default.
#[derive(Debug, Args)]
pub struct Scenario {
    /// First day, in UTC; 29 days before the last one if omitted
    #[arg(long)]
    from: Option<Date>,
    /// Last day, in UTC; yesterday if omitted
    #[arg(long)]
    to: Option<Date>,
    /// File with the expected bytes, as written by `seed --sums`
    #[arg(long)]
    sums: Option<PathBuf>,
    /// Seconds to wait for the settlement to complete
    #[arg(long, default_value_t = 600)]
    patience_s: u64,
}

impl Scenario {
    /// Settles the days, by a new job or by the active one of the same days, and checks the file.
    pub async fn run(self, api: &Api, run: &Run) -> Result<(), Box<dyn Error>> {
        let expected = self.sums.as_deref().map(read).transpose()?;
        let (from, to) = self.days(Timestamp::now());
        let id = create_job(api, from, to).await?;
        run.note(format_args!("{id} settles {from} to {to}."));

        let job = self.completed(api, &id, run).await?;
        let path = job["download_url"].as_str().ok_or("the completed job has no download_url")?;
        let (file, sha256) = download(api, path).await?;
        let totals = CsvTotals::read(&file)?;
        let complete = format!(
            "the file has all transactions that the job counted: {} of {}",
            totals.count, job["total"]
        );
        run.invariant(complete, job["total"].as_u64() == Some(totals.count));
        run.note(totals);
        run.note(throughput(&job, totals.count)?);
        run.note(format_args!(
            "{path} has {} bytes, and its SHA-256 equals its ETag, {sha256}.",
            file.len()
        ));
        if let Some((name, text)) = expected {
            if let Some(difference) = difference(&file, &text) {
                let hint = "a ledger with other entries settles to other sums";
                return Err(format!("the file differs from {name} ({hint}): {difference}").into());
            }
            run.invariant(format!("the file equals {name}, byte for byte"), true);
        }
        Ok(())
    }

    fn days(&self, now: Timestamp) -> (Date, Date) {
        let yesterday = || now.to_zoned(TimeZone::UTC).date().saturating_sub(1.day());
        let to = self.to.unwrap_or_else(yesterday);
        (self.from.unwrap_or_else(|| to.saturating_sub(29.days())), to)
    }

    /// Polls the job, showing its progress, until it is completed.
    async fn completed(&self, api: &Api, id: &str, run: &Run) -> Result<Value, Box<dyn Error>> {
        let start = Instant::now();
        let mut progress = Progress::new()?;
        let mut points = Vec::new();
        loop {
            let job = match api.get(&format!("/jobs/{id}")).await? {
                Answer { status: StatusCode::OK, body, .. } => body,
                Answer { status, body, .. } => {
                    return Err(format!("{id} not returned: {status} {body}").into());
                }
            };
            points.push((run.seconds(), job["progress"].as_f64().unwrap_or_default()));
            match job["status"].as_str().unwrap_or_default() {
                "COMPLETED" => {
                    progress.clear();
                    run.series(Series { name: "progress, %".to_owned(), points });
                    return Ok(job);
                }
                "CANCELLED" => return Err(format!("{id} was canceled").into()),
                "FAILED" => return Err(format!("{id} failed: {}", job["error"]).into()),
                status if start.elapsed().as_secs() >= self.patience_s => {
                    return Err(
                        format!("{id} is still {status} after {} s", self.patience_s).into()
                    );
                }
                status => progress.show(status, &job),
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// A progress bar on a terminal, or a line at intervals elsewhere.
struct Progress {
    bar: ProgressBar,
    start: Instant,
    last_line: Instant,
}

impl Progress {
    fn new() -> Result<Self, Box<dyn Error>> {
        let style = ProgressStyle::with_template("{bar:40} {msg}")?;
        let now = Instant::now();
        Ok(Self { bar: ProgressBar::new(1).with_style(style), start: now, last_line: now })
    }

    fn show(&mut self, status: &str, job: &Value) {
        let (processed, total) = (job["processed"].as_u64().unwrap_or(0), job["total"].as_u64());
        let total_text = total.map_or("?".to_owned(), |total| total.to_string());
        let message = format!("{status}, {processed} of {total_text} transactions");
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            println!("{:>4} s: {message}", self.start.elapsed().as_secs());
        }
        // A bar with a length of 0 is shown as full.
        self.bar.set_length(total.unwrap_or_default().max(1));
        self.bar.set_position(processed);
        self.bar.set_message(message);
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Returns the name and the text of a file.
fn read(file: &Path) -> Result<(String, String), String> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, text))
}

/// Requests the settlement of these days and returns the id of its job.
async fn create_job(api: &Api, from: Date, to: Date) -> Result<String, Box<dyn Error>> {
    let Answer { status, body, .. } = api
        .post("/jobs/settlement", &json!({"from": from.to_string(), "to": to.to_string()}))
        .await?;
    match body["job_id"].as_str() {
        Some(id) if status == StatusCode::ACCEPTED => Ok(id.to_owned()),
        _ => Err(format!("settlement not accepted: {status} {body}").into()),
    }
}

/// Downloads a file, following the link of a large one. Returns it with its SHA-256, which must
/// equal its `ETag`.
async fn download(api: &Api, path: &str) -> Result<(String, String), Box<dyn Error>> {
    let answer = api.get(path).await?;
    let etag = answer.header("etag").unwrap_or_default().trim_matches('"').to_owned();
    let answer = match answer.header("location") {
        Some(link) if answer.status == StatusCode::FOUND => api.follow(link).await?,
        _ => answer,
    };
    let file = match answer {
        Answer { status: StatusCode::OK, body: Value::String(file), .. } => file,
        Answer { status, body, .. } => {
            return Err(format!("{path} not downloaded: {status} {body}").into());
        }
    };
    let sha256 =
        Sha256::digest(&file).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    if sha256 != etag {
        return Err(format!("{path}: SHA-256 is {sha256}, but the ETag is {etag:?}").into());
    }
    Ok((file, sha256))
}

/// Describes the duration and the rate of the job by its own timestamps, because a run that joins
/// an active job starts after it.
fn throughput(job: &Value, count: u64) -> Result<String, Box<dyn Error>> {
    let time = |name: &str| job[name].as_str().unwrap_or_default().parse::<Timestamp>();
    let seconds = time("updated_at")?.duration_since(time("created_at")?).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a displayed rate")]
    let rate = count as f64 / seconds;
    Ok(format!("{seconds:.1} s from the request to the file, {rate:.0} transactions per second"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        scenario: Scenario,
    }

    fn days(arguments: &[&str]) -> (String, String) {
        let arguments = ["load"].iter().chain(arguments);
        let Arguments { scenario } = Arguments::try_parse_from(arguments).expect("valid arguments");
        let (from, to) = scenario.days("2026-03-02T23:59:59Z".parse().expect("a time"));
        (from.to_string(), to.to_string())
    }

    #[test]
    fn the_default_days_are_the_thirty_up_to_yesterday() {
        assert_eq!(days(&[]), ("2026-01-31".into(), "2026-03-01".into()));
        assert_eq!(days(&["--to", "2026-01-31"]), ("2026-01-02".into(), "2026-01-31".into()));
        assert_eq!(days(&["--from", "2026-02-28"]), ("2026-02-28".into(), "2026-03-01".into()));
    }
}
