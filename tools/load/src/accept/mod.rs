//! Ids are sent, some of them more than once; each minute's published count must be that of the ids accepted in it.

mod tally;

use std::{
    collections::BTreeMap,
    error::Error,
    fs, iter,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use form_urlencoded::Serializer;
use reqwest::StatusCode;
use tokio::time::sleep;

use self::tally::{Minute, Outcome, Tally, Verdict};
use crate::{api::Api, crowd::Crowd, report::Run};

/// A minute is published 15 s after its end by the next tick of a rule that may be a minute late.
const PATIENCE: Duration = Duration::from_mins(4);

/// Between two looks at what is published.
const PAUSE: Duration = Duration::from_secs(10);

/// The scenario. The stack must be nobody else's meanwhile, and refuse duplicates (its parameter `DuplicateIds`).
#[derive(Debug, Args)]
pub struct Arrivals {
    /// How many requests are sent
    #[arg(long, default_value_t = 3000)]
    requests: u32,
    /// How many ids they are for; the rest are duplicates
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    distinct: u32,
    /// How many are sent at the same moment
    #[arg(long, default_value_t = 20)]
    at_once: usize,
    /// Where counts are to be sent
    #[arg(long)]
    callback_url: Option<String>,
    /// For how many of the ids
    #[arg(long, default_value_t = 3)]
    callbacks: u32,
    /// A file for the minutes that ids were counted in, as in the last line of the report
    #[arg(long)]
    minutes_to: Option<PathBuf>,
}

impl Arrivals {
    /// Sends the ids, waits until their minutes are published, and compares.
    pub async fn run(self, api: &Api, run: &Run) -> Result<(), Box<dyn Error>> {
        if self.requests < self.distinct {
            return Err(
                format!("{} requests cannot bring {} ids", self.requests, self.distinct).into()
            );
        }
        run.say(format_args!(
            "{} requests bring {} ids, {} at once.",
            self.requests, self.distinct, self.at_once
        ));
        let requests = self.paths();
        let sending = requests.iter().map(|(id, path)| accept(api, *id, path));
        let answered =
            Crowd::send(run, api, "requests", self.at_once, sending, Outcome::to_string).await;

        let tally: Tally = answered.outcomes.into_iter().collect();
        let minutes: Vec<&str> = tally.minutes().collect();
        let published = published(api, &minutes).await?;
        for line in tally.lines(&published) {
            run.say(line);
        }
        let faults = tally.faults(&published);
        run.holds(
            "every id is counted once in its minute, and the published counts are those of distinct ids",
            faults.is_empty(),
        );
        if let Some(first) = faults.first() {
            return Err(format!("{} faults, the first: {first}", faults.len()).into());
        }
        let minutes = minutes.join(" ");
        if let Some(file) = self.minutes_to {
            fs::write(file, format!("{minutes}\n"))?;
        }
        println!("{minutes}");
        Ok(())
    }

    /// Ids and what is asked for them, in random order. The ids follow a random one, so that two runs do not meet.
    fn paths(&self) -> Vec<(i64, String)> {
        let base = fastrand::i64(i64::MIN / 2..i64::MAX / 2);
        let twice = iter::repeat_with(|| fastrand::u32(0..self.distinct));
        let all = (0..self.distinct).chain(twice).take(self.requests as usize);
        let mut paths: Vec<_> =
            all.map(|place| (base + i64::from(place), self.path(base, place))).collect();
        fastrand::shuffle(&mut paths);
        paths
    }

    /// The duplicates of an id with a callback have it too: whichever comes first is the one that counts.
    fn path(&self, base: i64, place: u32) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("id", &(base + i64::from(place)).to_string());
        if let Some(callback) = self.callback_url.as_ref().filter(|_| place < self.callbacks) {
            query.append_pair("url", callback);
        }
        format!("/api/verve/accept?{}", query.finish())
    }
}

/// Sends an id.
async fn accept(api: &Api, id: i64, path: &str) -> Outcome {
    let answer = match api.get(path).await {
        Ok(answer) => answer,
        Err(failure) => {
            return Outcome { id, verdict: Verdict::Other(failure.to_string()), repeated: true };
        }
    };
    let minute = answer.header("x-minute").map(str::to_owned);
    let verdict = match (answer.status, answer.body.as_str(), minute) {
        (StatusCode::OK, Some("ok"), Some(minute)) => Verdict::Counted(minute),
        (StatusCode::CONFLICT, Some("failed"), Some(minute)) => Verdict::Duplicate(minute),
        (status, _, minute) => {
            let minute = minute.as_deref().unwrap_or("no minute");
            Verdict::Other(format!("{} {}, {minute}", status.as_u16(), answer.body))
        }
    };
    Outcome { id, verdict, repeated: answer.repeated }
}

/// The counts of these minutes, as soon as all of them are published.
async fn published(api: &Api, minutes: &[&str]) -> Result<BTreeMap<Minute, u64>, Box<dyn Error>> {
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else {
        return Ok(BTreeMap::new());
    };
    let begun = Instant::now();
    loop {
        let mut counts = counts(api, first, last).await?;
        counts.retain(|minute, _| minutes.contains(&minute.as_str()));
        if counts.len() == minutes.len() {
            return Ok(counts);
        }
        let (waited, left) = (begun.elapsed(), minutes.len() - counts.len());
        if waited > PATIENCE {
            return Err(
                format!("{left} of {} minutes are still not published", minutes.len()).into()
            );
        }
        println!(
            "{:>4} s: waiting for {left} of {} minutes to be published",
            waited.as_secs(),
            minutes.len()
        );
        sleep(PAUSE).await;
    }
}

/// What is published from one minute to another.
async fn counts(
    api: &Api,
    first: &str,
    last: &str,
) -> Result<BTreeMap<Minute, u64>, Box<dyn Error>> {
    let answer = api.get(&format!("/api/verve/counts?from={first}&to={last}&limit=1440")).await?;
    if answer.status != StatusCode::OK {
        return Err(format!("the counts were refused: {} {}", answer.status, answer.body).into());
    }
    let rows = answer.body["counts"].as_array().into_iter().flatten();
    Ok(rows
        .filter_map(|row| Some((row["minute"].as_str()?.to_owned(), row["unique_ids"].as_u64()?)))
        .collect())
}
