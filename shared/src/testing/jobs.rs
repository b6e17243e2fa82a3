//! Scheduled jobs by the thousand, as tests and benchmarks begin with them.

use std::iter;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Cloud, SCHEDULES_TABLE};
use crate::{
    schedule::{Schedule, Task, TaskId, task_item},
    time::Timestamp,
};

/// Items of a call that writes many.
const BATCH: usize = 25;

impl Cloud {
    /// Records so many jobs with this schedule, each due next when `due` says. Their ids are numbers from 0.
    pub async fn jobs(&self, count: u32, schedule: Value, now: Timestamp, due: impl Fn(u32) -> Timestamp) {
        let schedule: Schedule = serde_json::from_value(schedule).expect("a fit schedule");
        let schedule = schedule.begin(now).expect("a fit schedule");
        let new = json!({"name": "many", "action": {"type": "settlement", "range": "yesterday"}});
        let template = Task::new(job_id(0), serde_json::from_value(new).expect("a fit job"), now);
        let template = template.scheduled(Some(schedule), now);
        let mut tasks =
            (0..count).map(|n| Task { id: job_id(n), next_run_at: Some(due(n)), ..template.clone() }).peekable();
        while tasks.peek().is_some() {
            let puts = iter::from_fn(|| tasks.next()).take(BATCH).map(|task| {
                let put = PutRequest::builder().set_item(Some(task_item(&task).expect("an item"))).build();
                WriteRequest::builder().put_request(put.expect("an item")).build()
            });
            let write = self.client().batch_write_item().request_items(SCHEDULES_TABLE, puts.collect());
            write.send().await.expect("recorded");
        }
    }
}

/// The id of the job of this number.
#[must_use]
pub fn job_id(number: u32) -> TaskId {
    Uuid::from_u128(number.into()).into()
}
