//! The runs of one job, whose schedule stays while the process dies and starts.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api::{Api, Call};

const EVERY: SignedDuration = SignedDuration::from_secs(1);

const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A job that is due each second.
pub struct Occurrences {
    job: String,
    first: Timestamp,
}

impl Occurrences {
    /// Makes the job.
    pub async fn begin(api: &Api) -> Self {
        let action = json!({"type": "company", "company_id": "merchant_001", "kind": "sales"});
        let create =
            Call::post("/scheduler/jobs", json!({"name": "each second", "action": action}));
        let job = api.answer(&create).await.expect(201, &create);
        let job = job["id"].as_str().expect("an id").to_owned();
        let schedule = json!({
            "type": "fixed", "every_seconds": EVERY.as_secs(), "overlap": "allow",
            "misfire": "fire_all",
        });
        let put = Call::put(format!("/scheduler/jobs/{job}/schedule"), schedule);
        let answer = api.answer(&put).await.expect(200, &put);
        let first = time(&answer["schedule"]["start_at"]);
        Self { job, first }
    }

    /// Returns the job's id.
    pub fn job(&self) -> &str {
        &self.job
    }

    /// Waits until all occurrences of the past have run, each of them once.
    pub async fn end(&self, api: &Api, deadline: Instant) {
        let until = Timestamp::now();
        let mut due = self.first;
        let mut expected = Vec::new();
        while due <= until {
            expected.push(due);
            due += EVERY;
        }
        loop {
            let runs = self.runs(api).await;
            let missing: Vec<_> =
                expected.iter().filter(|due| runs.get(due) != Some(&true)).collect();
            if missing.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "not completed: {missing:?} of {runs:?}");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        println!("{} occurrences ran once", expected.len());
    }

    /// Returns whether each occurrence has run. There is none that is not due.
    async fn runs(&self, api: &Api) -> BTreeMap<Timestamp, bool> {
        let mut runs = BTreeMap::new();
        for run in api.list(&format!("/scheduler/jobs/{}/runs", self.job), "runs").await {
            let due = time(&run["due_at"]);
            let is_occurrence =
                (due.duration_since(self.first).as_millis() % EVERY.as_millis()) == 0;
            assert!(is_occurrence && run["missed_since"].is_null(), "{run}");
            let is_completed = match run["state"].as_str() {
                Some("COMPLETED") => true,
                Some("QUEUED" | "RUNNING" | "RETRYING") => false,
                _ => panic!("{run}"),
            };
            assert!(runs.insert(due, is_completed).is_none(), "twice: {run}");
        }
        runs
    }
}

fn time(value: &Value) -> Timestamp {
    value.as_str().and_then(|time| time.parse().ok()).expect("a time")
}
