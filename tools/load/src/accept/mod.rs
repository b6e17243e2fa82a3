//! The scenario `accept`: sends ids, some of them more than once, and compares each minute's
//! published count with the ids accepted in it.
//!
//! Invariant: every id is counted once in its minute, and the published counts are those of
//! distinct ids.

mod tally;

use std::{
    collections::BTreeMap,
    error::Error,
    iter,
    time::{Duration, Instant},
};

use clap::Args;
use form_urlencoded::Serializer;
use reqwest::StatusCode;
use tokio::time::sleep;

use self::tally::{AcceptOutcome, Minute, Response, Tally};
use crate::{api::Api, burst::Burst, report::Run};

/// Longest wait for the published counts. A minute is published at the first tick from 15 s after
/// its end, and a tick may be a minute late.
const TIMEOUT: Duration = Duration::from_mins(4);

const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// Arguments of the scenario. Nothing else may send ids to the stack meanwhile, and the stack must
/// reject duplicates (its parameter `DuplicateIds`).
#[derive(Debug, Args)]
pub struct Scenario {
    /// Number of requests
    #[arg(long, default_value_t = 3000)]
    requests: u32,
    /// Number of distinct ids; the other requests are duplicates
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    distinct: u32,
    /// Number of concurrent requests
    #[arg(long, default_value_t = 20)]
    at_once: usize,
    /// URL that receives counts as callbacks
    #[arg(long)]
    callback_url: Option<String>,
    /// Number of ids that request a callback
    #[arg(long, default_value_t = 3)]
    callbacks: u32,
}

/// What the stack answered. Its minutes are not checked yet.
#[derive(Debug)]
pub struct Sent {
    tally: Tally,
}

impl Scenario {
    /// Sends the ids.
    pub async fn send(self, api: &Api, run: &Run) -> Result<Sent, Box<dyn Error>> {
        if self.requests < self.distinct {
            return Err(format!(
                "--requests: must be at least --distinct ({}), but is {}",
                self.distinct, self.requests
            )
            .into());
        }
        run.note(format_args!(
            "{} requests with {} distinct ids, {} at once.",
            self.requests, self.distinct, self.at_once
        ));
        let paths = self.paths();
        let requests = paths.iter().map(|(id, path)| accept(api, *id, path));
        let burst =
            Burst::send(run, api, "requests", self.at_once, requests, Response::to_string).await;

        Ok(Sent { tally: burst.outcomes.into_iter().collect() })
    }

    /// Returns the ids and the paths of their requests, in random order. The ids are consecutive
    /// from a random one, so that two runs do not share any.
    fn paths(&self) -> Vec<(i64, String)> {
        let base = fastrand::i64(i64::MIN / 2..i64::MAX / 2);
        let duplicates = iter::repeat_with(|| fastrand::u32(0..self.distinct));
        let all = (0..self.distinct).chain(duplicates).take(self.requests as usize);
        let mut paths: Vec<_> =
            all.map(|index| (base + i64::from(index), self.path(base, index))).collect();
        fastrand::shuffle(&mut paths);
        paths
    }

    /// Returns the path of a request. The duplicates of an id have its callback as well, because
    /// the first request to arrive is the one that counts.
    fn path(&self, base: i64, index: u32) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("id", &(base + i64::from(index)).to_string());
        if let Some(callback) = self.callback_url.as_ref().filter(|_| index < self.callbacks) {
            query.append_pair("url", callback);
        }
        format!("/api/verve/accept?{}", query.finish())
    }
}

impl Sent {
    /// Waits until the minutes are published, and checks the invariant.
    pub async fn check(self, api: &Api, run: &Run) -> Result<(), Box<dyn Error>> {
        let Self { tally } = self;
        let minutes: Vec<&str> = tally.minutes().collect();
        let published = published(api, &minutes).await?;
        for line in tally.lines(&published) {
            run.note(line);
        }
        let faults = tally.faults(&published);
        run.invariant(
            "every id is counted once in its minute, and the published counts are those of \
             distinct ids",
            faults.is_empty(),
        );
        if let Some(first) = faults.first() {
            return Err(format!("{} faults, the first: {first}", faults.len()).into());
        }
        Ok(())
    }
}

/// Sends one id.
async fn accept(api: &Api, id: i64, path: &str) -> Response {
    let answer = match api.get(path).await {
        Ok(answer) => answer,
        Err(failure) => {
            let outcome = AcceptOutcome::Unexpected(failure.to_string());
            return Response { id, outcome, retried: true };
        }
    };
    let minute = answer.header("x-minute").map(str::to_owned);
    let outcome = match (answer.status, answer.body.as_str(), minute) {
        (StatusCode::OK, Some("ok"), Some(minute)) => AcceptOutcome::Counted(minute),
        (StatusCode::CONFLICT, Some("failed"), Some(minute)) => AcceptOutcome::Duplicate(minute),
        (status, _, minute) => {
            let minute = minute.as_deref().unwrap_or("no minute");
            AcceptOutcome::Unexpected(format!("{} {}, {minute}", status.as_u16(), answer.body))
        }
    };
    Response { id, outcome, retried: answer.retried }
}

/// Polls until all of these minutes are published, and returns their counts.
async fn published(api: &Api, minutes: &[&str]) -> Result<BTreeMap<Minute, u64>, Box<dyn Error>> {
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else {
        return Ok(BTreeMap::new());
    };
    let start = Instant::now();
    loop {
        let mut counts = counts(api, first, last).await?;
        counts.retain(|minute, _| minutes.contains(&minute.as_str()));
        if counts.len() == minutes.len() {
            return Ok(counts);
        }
        let (waited, missing) = (start.elapsed(), minutes.len() - counts.len());
        if waited > TIMEOUT {
            return Err(format!(
                "{missing} of {} minutes not published after {} s",
                minutes.len(),
                waited.as_secs()
            )
            .into());
        }
        println!(
            "{:>4} s: waiting for {missing} of {} minutes to be published",
            waited.as_secs(),
            minutes.len()
        );
        sleep(POLL_INTERVAL).await;
    }
}

/// Returns the published counts of the minutes from `first` to `last`.
async fn counts(
    api: &Api,
    first: &str,
    last: &str,
) -> Result<BTreeMap<Minute, u64>, Box<dyn Error>> {
    let answer = api.get(&format!("/api/verve/counts?from={first}&to={last}&limit=1440")).await?;
    if answer.status != StatusCode::OK {
        return Err(format!("counts not listed: {} {}", answer.status, answer.body).into());
    }
    let rows = answer.body["counts"].as_array().into_iter().flatten();
    Ok(rows
        .filter_map(|row| Some((row["minute"].as_str()?.to_owned(), row["unique_ids"].as_u64()?)))
        .collect())
}
