//! A job calls a receiver every few seconds for a while, and its history is held against its schedule.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use clap::Args;
use jiff::{Timestamp, ToSpan, Unit};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    api::{Answer, Api},
    latency::Latencies,
    report::{Run, Series},
};

/// Between two looks at the history.
const PAUSE: Duration = Duration::from_secs(1);

/// The scenario.
#[derive(Debug, Args)]
pub struct Clockwork {
    /// Who is called; the stack's own /test if not given
    #[arg(long)]
    receiver: Option<String>,
    /// Seconds between two occurrences
    #[arg(long, default_value_t = 2)]
    every: u32,
    /// How many occurrences there are
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    occurrences: u32,
    /// How many seconds the last of them is waited for
    #[arg(long, default_value_t = 60)]
    patience_s: u64,
}

impl Clockwork {
    /// Makes the job, waits for its last occurrence, compares, and deletes the job.
    pub async fn run(self, api: &Api, url: &str, run: &Run) -> Result<(), Box<dyn Error>> {
        let receiver =
            self.receiver.clone().unwrap_or_else(|| format!("{}/test", url.trim_end_matches('/')));
        let action = json!({"type": "webhook", "url": receiver});
        let job = api.post("/scheduler/jobs", &json!({"name": "load", "action": action})).await?;
        let path = match (job.status, job.body["id"].as_str()) {
            (StatusCode::CREATED, Some(id)) => format!("/scheduler/jobs/{id}"),
            (status, _) => return Err(format!("the job was refused: {status} {}", job.body).into()),
        };
        let ended = self.play(api, &path, run).await;
        let deleted = api.delete(&path).await?;
        if deleted.status != StatusCode::NO_CONTENT {
            return Err(
                format!("{path} was not deleted: {} {}", deleted.status, deleted.body).into()
            );
        }
        ended
    }

    async fn play(&self, api: &Api, path: &str, run: &Run) -> Result<(), Box<dyn Error>> {
        // Time for the request, and for the queue to be looked at.
        let start = Timestamp::now().round(Unit::Second)?.checked_add(3.seconds())?;
        let due: Vec<Timestamp> = (0..i64::from(self.occurrences))
            .map(|n| start + (n * i64::from(self.every)).seconds())
            .collect();
        let end = due.last().ok_or("no occurrence")?;
        let schedule =
            json!({"type": "fixed", "every_seconds": self.every, "start_at": start, "end_at": end});
        let set = api.put(&format!("{path}/schedule"), &schedule).await?;
        if set.status != StatusCode::OK {
            return Err(format!("the schedule was refused: {} {}", set.status, set.body).into());
        }
        run.say(format_args!(
            "{path} calls its receiver {} times, every {} s from {start} on.",
            due.len(),
            self.every
        ));
        let runs = self.history(api, path, *end).await?;

        let told: Vec<Timestamp> =
            runs.iter().map(|run| time(run, "due_at")).collect::<Result<_, _>>()?;
        run.holds(
            format!(
                "each occurrence fires once, at its time: {} of {} runs",
                told.len(),
                due.len()
            ),
            told == due,
        );
        let done = runs.iter().filter(|run| run["state"] == "COMPLETED").count();
        run.holds(format!("each run is completed: {done} of {}", runs.len()), done == runs.len());
        let lags: Vec<Duration> =
            runs.iter().filter_map(|run| lag(run).transpose()).collect::<Result<_, _>>()?;
        let points = told
            .iter()
            .zip(&lags)
            .map(|(at, lag)| (at.duration_since(start).as_secs_f64(), lag.as_secs_f64()));
        run.measured(Series {
            name: "begun after it was due, s".to_owned(),
            points: points.collect(),
        });
        run.say(format_args!("Begun after it was due: {}.", Latencies::new(lags)));
        Ok(())
    }

    /// All runs, the first due first, once none is to come.
    async fn history(
        &self,
        api: &Api,
        path: &str,
        end: Timestamp,
    ) -> Result<Vec<Value>, Box<dyn Error>> {
        let begun = Instant::now();
        let patience = Duration::try_from(end.duration_since(Timestamp::now()))?
            + Duration::from_secs(self.patience_s);
        loop {
            let Answer { status, body, .. } = api.get(&format!("{path}/runs?limit=100")).await?;
            if status != StatusCode::OK {
                return Err(format!("the history was not shown: {status} {body}").into());
            }
            let mut runs = body["runs"].as_array().cloned().unwrap_or_default();
            let open = runs.iter().filter(|run| run["finished_at"].is_null()).count();
            if (open == 0 && runs.len() >= self.occurrences.try_into()?)
                || begun.elapsed() > patience
            {
                runs.reverse();
                return Ok(runs);
            }
            sleep(PAUSE).await;
        }
    }
}

fn time(run: &Value, name: &str) -> Result<Timestamp, jiff::Error> {
    run[name].as_str().unwrap_or_default().parse()
}

/// How long after it was due a run was begun, if it was.
fn lag(run: &Value) -> Result<Option<Duration>, Box<dyn Error>> {
    if run["started_at"].is_null() {
        return Ok(None);
    }
    let lag = time(run, "started_at")?.duration_since(time(run, "due_at")?);
    Duration::try_from(lag)
        .map(Some)
        .map_err(|_| format!("a run began before it was due: {run}").into())
}
