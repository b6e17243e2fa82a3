//! Scheduled jobs with schedules, and without.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::api::{Api, Call};

/// Callers at a time.
const CALLERS: u32 = 2;

/// The jobs that were requested.
#[derive(Default)]
pub struct Jobs {
    round: u32,
    all: Vec<Job>,
    /// The number of those that are checked.
    checked: usize,
}

/// A job that was requested, and what was answered about it.
struct Job {
    create: Call,
    id: Option<String>,
    schedule: Change,
    deletion: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    NotSent,
    Unanswered,
    Done,
}

impl Jobs {
    /// Makes jobs, sets schedules and deletes some until the process dies.
    pub async fn run(&mut self, api: &Api) {
        self.round += 1;
        let callers = (0..CALLERS).map(|caller| edit(api, format!("{}-{caller}", self.round)));
        self.all.extend(join_all(callers).await.into_iter().flatten());
    }

    /// Sends what was not answered again, and compares the new jobs.
    pub async fn check(&mut self, api: &Api) {
        for job in &mut self.all[self.checked..] {
            job.check(api).await;
        }
        self.checked = self.all.len();
    }

    /// Compares all jobs with the list, which has one more.
    pub async fn end(&self, api: &Api, other: &str) {
        let kept = self.all.iter().filter(|job| job.deletion == Change::NotSent);
        let mut kept: BTreeSet<_> = kept.filter_map(|job| job.id.clone()).collect();
        kept.insert(other.to_owned());
        let listed = api.list("/scheduler/jobs", "jobs").await;
        let ids: BTreeSet<_> =
            listed.iter().map(|job| job["id"].as_str().expect("an id").to_owned()).collect();
        assert_eq!(ids.len(), listed.len(), "a job is listed once");
        assert_eq!(ids, kept);
        let deleted = self.all.len() + 1 - kept.len();
        println!("{} scheduled jobs, of which {deleted} are deleted", self.all.len());
    }
}

/// Makes and changes jobs until the process dies.
async fn edit(api: &Api, caller: String) -> Vec<Job> {
    let mut jobs = Vec::new();
    for number in 0.. {
        let mut job = Job::new(format!("job-{caller}-{number}"));
        let lives = job.edit(api).await.is_some();
        jobs.push(job);
        if !lives {
            break;
        }
    }
    jobs
}

impl Job {
    fn new(name: String) -> Self {
        let action = json!({"type": "settlement", "range": "yesterday"});
        let create = Call::post("/scheduler/jobs", json!({"name": name, "action": action}));
        let create = create.key(name);
        Self { create, id: None, schedule: Change::NotSent, deletion: Change::NotSent }
    }

    async fn edit(&mut self, api: &Api) -> Option<()> {
        self.create(api).await?;
        if fastrand::bool() {
            self.set_schedule(api).await?;
        }
        if fastrand::u8(..3) == 0 {
            self.delete(api).await?;
        }
        Some(())
    }

    async fn create(&mut self, api: &Api) -> Option<()> {
        let job = api.send(&self.create).await?.expect(201, &self.create);
        let id = job["id"].as_str().map(str::to_owned);
        assert!(self.id.is_none() || self.id == id, "{:?} is another", self.create);
        self.id = id;
        Some(())
    }

    async fn set_schedule(&mut self, api: &Api) -> Option<()> {
        let call = Call::put(format!("{}/schedule", self.path()), schedule());
        self.schedule = Change::Unanswered;
        api.send(&call).await?.expect(200, &call);
        self.schedule = Change::Done;
        Some(())
    }

    async fn delete(&mut self, api: &Api) -> Option<()> {
        let call = Call::delete(self.path());
        // A repetition finds nothing, if the first one was executed.
        let statuses: &[u16] =
            if self.deletion == Change::Unanswered { &[204, 404] } else { &[204] };
        self.deletion = Change::Unanswered;
        let answer = api.send(&call).await?;
        assert!(statuses.contains(&answer.status), "{call:?}: {answer}");
        self.deletion = Change::Done;
        Some(())
    }

    async fn check(&mut self, api: &Api) {
        // As long as the job exists, the key finds it.
        if self.deletion == Change::NotSent {
            self.create(api).await.expect("the process lives");
        }
        if self.deletion == Change::Unanswered {
            self.delete(api).await.expect("the process lives");
        }
        let call = Call::get(self.path());
        let answer = api.answer(&call).await;
        if self.deletion == Change::Done {
            assert_eq!(answer.status, 404, "deleted: {answer}");
            return;
        }
        let job = answer.expect(200, &call);
        let found = (&job["state"], &job["schedule"]["every_seconds"]);
        let not_set = (&Value::from("UNSCHEDULED"), &Value::Null);
        let set = (&Value::from("ACTIVE"), &schedule()["every_seconds"]);
        let possible = match self.schedule {
            Change::NotSent => &[not_set][..],
            Change::Unanswered => &[not_set, set],
            Change::Done => &[set],
        };
        assert!(possible.contains(&found), "{job}");
    }

    fn path(&self) -> String {
        format!("/scheduler/jobs/{}", self.id.as_ref().expect("it was answered"))
    }
}

/// A schedule without an occurrence during the test.
fn schedule() -> Value {
    json!({"type": "fixed", "every_seconds": 86_400})
}
