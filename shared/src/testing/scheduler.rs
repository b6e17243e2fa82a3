//! The scheduled jobs that tests begin with.

use serde_json::{Value, json};

use super::{Cloud, Process, Queued};
use crate::schedule::{Left, NewTask, RunError, Standing, TaskId};

/// `POST /scheduler/jobs` for a job that settles the day before each of its times.
#[must_use]
pub fn new_task() -> Value {
    json!({"name": "Settle yesterday", "action": {"type": "settlement", "range": "yesterday"}})
}

/// At noon, a job of every ten seconds, at its second version.
pub async fn scheduled_task() -> (Cloud, Process, TaskId) {
    let cloud = Cloud::start().await;
    let process = cloud.process().at("2026-11-20T12:00:00Z".parse().expect("a time"));
    let id = process.task().await;
    process.schedule(id, json!({"type": "fixed", "every_seconds": 10})).await;
    (cloud, process, id)
}

impl Cloud {
    /// The messages to the queue of occurrences that were sent since messages were asked for last.
    #[must_use]
    pub fn take_occurrences(&self) -> Vec<Queued> {
        let queued = self.outside().take_queued().into_iter();
        queued.filter(|message| message.queue.ends_with("/occurrences")).collect()
    }
}

impl Process {
    /// Makes a job that settles the day before each of its times, without a schedule.
    pub async fn task(&self) -> TaskId {
        self.task_of(new_task()).await
    }

    /// Makes a job of this body.
    pub async fn task_of(&self, body: Value) -> TaskId {
        let new: NewTask = serde_json::from_value(body).expect("a fit job");
        self.app.schedules().create(new, None, self.app.now()).await.expect("a job").job.id
    }

    /// Gives a job a schedule.
    pub async fn schedule(&self, id: TaskId, schedule: Value) -> Standing {
        let schedule = serde_json::from_value(schedule).expect("a fit schedule");
        self.app.schedules().schedule(id, schedule, None, self.app.now()).await.expect("scheduled")
    }

    /// The job as it stands.
    pub async fn standing(&self, id: TaskId) -> Option<Standing> {
        self.app.schedules().job(id, self.app.now()).await.expect("a read")
    }

    /// Delivers a message of the queue of occurrences for the first time.
    pub async fn fire(&self, message: &Queued) -> Result<Left, RunError> {
        self.app.schedules().run(&message.delivery(), self.app.reach(), self.app.now()).await
    }
}
