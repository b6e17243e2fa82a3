//! Days of the ledger are settled, and the file is held against what the job says of it and against what is expected.

mod sheet;

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

use self::sheet::{Sheet, difference};
use crate::{
    api::{Answer, Api},
    report::{Run, Series},
};

/// Between two looks at the job.
const PAUSE: Duration = Duration::from_millis(500);

/// Between two lines about it, where there is no terminal for a bar.
const SILENCE: Duration = Duration::from_secs(5);

/// The scenario. Without days it settles those that `seed` fills by default.
#[derive(Debug, Args)]
pub struct Days {
    /// The first day, in UTC; 29 days before the last one if not given
    #[arg(long)]
    from: Option<Date>,
    /// The last day; yesterday if not given
    #[arg(long)]
    to: Option<Date>,
    /// A file with the bytes that are expected, as `seed --sums` writes it
    #[arg(long)]
    sums: Option<PathBuf>,
    /// How many seconds the job is waited for
    #[arg(long, default_value_t = 600)]
    patience_s: u64,
}

impl Days {
    /// Has the days settled, by a new job or by the one that does it already, and compares.
    pub async fn run(self, api: &Api, run: &Run) -> Result<(), Box<dyn Error>> {
        let expected = self.sums.as_deref().map(read).transpose()?;
        let (from, to) = self.days(Timestamp::now());
        let id = ask(api, from, to).await?;
        run.say(format_args!("{id} settles {from} to {to}."));

        let job = self.completed(api, &id, run).await?;
        let path = job["download_url"].as_str().ok_or("the completed job has no download_url")?;
        let (file, sha256) = download(api, path).await?;
        let sheet = Sheet::read(&file)?;
        let counted = format!(
            "the file has all transactions that the job counted: {} and {}",
            sheet.count, job["total"]
        );
        run.holds(counted, job["total"].as_u64() == Some(sheet.count));
        run.say(sheet);
        run.say(pace(&job, sheet.count)?);
        run.say(format_args!(
            "{path} has {} bytes with the SHA-256 of its ETag, {sha256}.",
            file.len()
        ));
        if let Some((name, text)) = expected {
            if let Some(difference) = difference(&file, &text) {
                let others = "a ledger that holds other entries, too, settles to more";
                return Err(format!("the file is not {name} ({others}): {difference}").into());
            }
            run.holds(format!("it is {name}, byte for byte"), true);
        }
        Ok(())
    }

    fn days(&self, now: Timestamp) -> (Date, Date) {
        let yesterday = || now.to_zoned(TimeZone::UTC).date().saturating_sub(1.day());
        let to = self.to.unwrap_or_else(yesterday);
        (self.from.unwrap_or_else(|| to.saturating_sub(29.days())), to)
    }

    /// The job, once it is completed. On the way there it is shown.
    async fn completed(&self, api: &Api, id: &str, run: &Run) -> Result<Value, Box<dyn Error>> {
        let begun = Instant::now();
        let mut view = View::new()?;
        let mut points = Vec::new();
        loop {
            let job = match api.get(&format!("/jobs/{id}")).await? {
                Answer { status: StatusCode::OK, body, .. } => body,
                Answer { status, body, .. } => {
                    return Err(format!("{id} was not shown: {status} {body}").into());
                }
            };
            points.push((run.seconds(), job["progress"].as_f64().unwrap_or_default()));
            match job["status"].as_str().unwrap_or_default() {
                "COMPLETED" => {
                    view.end();
                    run.measured(Series { name: "progress, %".to_owned(), points });
                    return Ok(job);
                }
                "CANCELLED" => return Err(format!("{id} was cancelled").into()),
                "FAILED" => return Err(format!("{id} has failed: {}", job["error"]).into()),
                status if begun.elapsed().as_secs() >= self.patience_s => {
                    return Err(
                        format!("{id} is still {status} after {} s", self.patience_s).into()
                    );
                }
                status => view.show(status, &job),
            }
            sleep(PAUSE).await;
        }
    }
}

/// A bar on a terminal, and a line now and then elsewhere.
struct View {
    bar: ProgressBar,
    begun: Instant,
    told: Instant,
}

impl View {
    fn new() -> Result<Self, Box<dyn Error>> {
        let style = ProgressStyle::with_template("{bar:40} {msg}")?;
        let now = Instant::now();
        Ok(Self { bar: ProgressBar::new(1).with_style(style), begun: now, told: now })
    }

    fn show(&mut self, status: &str, job: &Value) {
        let (processed, total) = (job["processed"].as_u64().unwrap_or(0), job["total"].as_u64());
        let counted = total.map_or("?".to_owned(), |total| total.to_string());
        let said = format!("{status}, {processed} of {counted} transactions");
        if self.bar.is_hidden() && self.told.elapsed() >= SILENCE {
            self.told = Instant::now();
            println!("{:>4} s: {said}", self.begun.elapsed().as_secs());
        }
        // Of nothing, or of nothing yet, it would be shown as full.
        self.bar.set_length(total.unwrap_or_default().max(1));
        self.bar.set_position(processed);
        self.bar.set_message(said);
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// A file's name, and what it says.
fn read(file: &Path) -> Result<(String, String), String> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, text))
}

/// The job that settles these days.
async fn ask(api: &Api, from: Date, to: Date) -> Result<String, Box<dyn Error>> {
    let Answer { status, body, .. } = api
        .post("/jobs/settlement", &json!({"from": from.to_string(), "to": to.to_string()}))
        .await?;
    match body["job_id"].as_str() {
        Some(id) if status == StatusCode::ACCEPTED => Ok(id.to_owned()),
        _ => Err(format!("the settlement was refused: {status} {body}").into()),
    }
}

/// A file and its SHA-256, which is the one of its `ETag`. A large file is behind a link.
async fn download(api: &Api, path: &str) -> Result<(String, String), Box<dyn Error>> {
    let answer = api.get(path).await?;
    let tag = answer.header("etag").unwrap_or_default().trim_matches('"').to_owned();
    let answer = match answer.header("location") {
        Some(link) if answer.status == StatusCode::FOUND => api.follow(link).await?,
        _ => answer,
    };
    let file = match answer {
        Answer { status: StatusCode::OK, body: Value::String(file), .. } => file,
        Answer { status, body, .. } => {
            return Err(format!("{path} was refused: {status} {body}").into());
        }
    };
    let sha256 =
        Sha256::digest(&file).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    if sha256 != tag {
        return Err(format!("{path} has the SHA-256 {sha256}, and the ETag {tag:?}").into());
    }
    Ok((file, sha256))
}

/// How long the job took, as it says itself: whoever joins one has not seen its beginning.
fn pace(job: &Value, count: u64) -> Result<String, Box<dyn Error>> {
    let time = |name: &str| job[name].as_str().unwrap_or_default().parse::<Timestamp>();
    let seconds = time("updated_at")?.duration_since(time("created_at")?).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = count as f64 / seconds;
    Ok(format!("{seconds:.1} s from the request to the file, {rate:.0} transactions a second"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Scenario {
        #[command(flatten)]
        days: Days,
    }

    fn days(arguments: &[&str]) -> (String, String) {
        let given = ["load"].iter().chain(arguments);
        let scenario = Scenario::try_parse_from(given).expect("fit arguments");
        let (from, to) = scenario.days.days("2026-03-02T23:59:59Z".parse().expect("a time"));
        (from.to_string(), to.to_string())
    }

    #[test]
    fn without_days_the_last_thirty_that_are_over_are_settled() {
        assert_eq!(days(&[]), ("2026-01-31".into(), "2026-03-01".into()));
        assert_eq!(days(&["--to", "2026-01-31"]), ("2026-01-02".into(), "2026-01-31".into()));
        assert_eq!(days(&["--from", "2026-02-28"]), ("2026-02-28".into(), "2026-03-01".into()));
    }
}
