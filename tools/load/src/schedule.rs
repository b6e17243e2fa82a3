//! The scenario `schedule`: a job calls a receiver every few seconds, and its run history is
//! compared with its schedule.
//!
//! Invariants: each occurrence runs once, at its time, and each run completes.

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

const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Arguments of the scenario.
#[derive(Debug, Args)]
pub struct Scenario {
    /// URL that the job calls; the stack's own /test if omitted
    #[arg(long)]
    receiver: Option<String>,
    /// Seconds between two occurrences
    #[arg(long, default_value_t = 2)]
    every: u32,
    /// Number of occurrences
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    occurrences: u32,
    /// Seconds to wait for the runs after the last occurrence
    #[arg(long, default_value_t = 60)]
    patience_s: u64,
}

impl Scenario {
    /// Creates the job, waits for its last run, checks the invariants and deletes the job.
    pub async fn run(self, api: &Api, url: &str, run: &Run) -> Result<(), Box<dyn Error>> {
        let receiver =
            self.receiver.clone().unwrap_or_else(|| format!("{}/test", url.trim_end_matches('/')));
        let action = json!({"type": "webhook", "url": receiver});
        let job = api.post("/scheduler/jobs", &json!({"name": "load", "action": action})).await?;
        let path = match (job.status, job.body["id"].as_str()) {
            (StatusCode::CREATED, Some(id)) => format!("/scheduler/jobs/{id}"),
            (status, _) => return Err(format!("job not created: {status} {}", job.body).into()),
        };
        let result = self.check(api, &path, run).await;
        let deleted = api.delete(&path).await?;
        if deleted.status != StatusCode::NO_CONTENT {
            return Err(format!("{path} not deleted: {} {}", deleted.status, deleted.body).into());
        }
        result
    }

    async fn check(&self, api: &Api, path: &str, run: &Run) -> Result<(), Box<dyn Error>> {
        let due = self.set_schedule(api, path).await?;
        let (start, end) =
            (*due.first().ok_or("no occurrence")?, *due.last().ok_or("no occurrence")?);
        run.note(format_args!(
            "{path} calls its receiver {} times, every {} s from {start} on.",
            due.len(),
            self.every
        ));
        let runs = self.history(api, path, end).await?;

        let due_at: Vec<Timestamp> =
            runs.iter().map(|run| time(run, "due_at")).collect::<Result<_, _>>()?;
        run.invariant(
            format!(
                "each occurrence runs once, at its time: {} runs of {} occurrences",
                due_at.len(),
                due.len()
            ),
            due_at == due,
        );
        let completed = runs.iter().filter(|run| run["state"] == "COMPLETED").count();
        run.invariant(
            format!("each run completes: {completed} of {}", runs.len()),
            completed == runs.len(),
        );
        let delays: Vec<Duration> =
            runs.iter().filter_map(|run| delay(run).transpose()).collect::<Result<_, _>>()?;
        let points = due_at
            .iter()
            .zip(&delays)
            .map(|(at, delay)| (at.duration_since(start).as_secs_f64(), delay.as_secs_f64()));
        run.series(Series {
            name: "delay from due to started, s".to_owned(),
            points: points.collect(),
        });
        run.note(format_args!("Delay from due to started: {}.", Latencies::new(delays)));
        Ok(())
    }

    /// Sets the schedule and returns its occurrences. The first leaves time for this request and
    /// for the next poll of the queue.
    async fn set_schedule(&self, api: &Api, path: &str) -> Result<Vec<Timestamp>, Box<dyn Error>> {
        let start = Timestamp::now().round(Unit::Second)?.checked_add(3.seconds())?;
        let due: Vec<Timestamp> = (0..i64::from(self.occurrences))
            .map(|n| start + (n * i64::from(self.every)).seconds())
            .collect();
        let end = due.last().ok_or("no occurrence")?;
        let schedule =
            json!({"type": "fixed", "every_seconds": self.every, "start_at": start, "end_at": end});
        let set = api.put(&format!("{path}/schedule"), &schedule).await?;
        if set.status != StatusCode::OK {
            return Err(format!("schedule not set: {} {}", set.status, set.body).into());
        }
        Ok(due)
    }

    /// Polls until all runs are finished or the time is over, and returns the runs, the earliest
    /// due first.
    async fn history(
        &self,
        api: &Api,
        path: &str,
        end: Timestamp,
    ) -> Result<Vec<Value>, Box<dyn Error>> {
        let start = Instant::now();
        let timeout = Duration::try_from(end.duration_since(Timestamp::now()))?
            + Duration::from_secs(self.patience_s);
        loop {
            let Answer { status, body, .. } = api.get(&format!("{path}/runs?limit=100")).await?;
            if status != StatusCode::OK {
                return Err(format!("runs not listed: {status} {body}").into());
            }
            let mut runs = body["runs"].as_array().cloned().unwrap_or_default();
            let unfinished = runs.iter().filter(|run| run["finished_at"].is_null()).count();
            if (unfinished == 0 && runs.len() >= self.occurrences.try_into()?)
                || start.elapsed() > timeout
            {
                runs.reverse();
                return Ok(runs);
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

fn time(run: &Value, name: &str) -> Result<Timestamp, jiff::Error> {
    run[name].as_str().unwrap_or_default().parse()
}

/// Returns the delay from due to started, or `None` if the run has not started.
fn delay(run: &Value) -> Result<Option<Duration>, Box<dyn Error>> {
    if run["started_at"].is_null() {
        return Ok(None);
    }
    let delay = time(run, "started_at")?.duration_since(time(run, "due_at")?);
    Duration::try_from(delay)
        .map(Some)
        .map_err(|_| format!("run started before it was due: {run}").into())
}
