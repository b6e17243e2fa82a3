//! The floor: the same messages, ten per call, and the same conditional writes, with the same
//! concurrency and without any logic.

use aws_sdk_dynamodb::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::{StreamExt, TryStreamExt, future::join_all, stream};
use once::{
    dynamo::{keys, text},
    testing::{Cloud, ENVIRONMENT, Instance, SCHEDULES_TABLE, job_id},
};
use serde_json::json;

use super::DUE;

/// Concurrency of a tick: shards, and calls of each kind per shard.
const SHARDS: usize = 8;
const AT_ONCE: usize = 16;

/// Messages per call.
const BATCH: usize = 10;

/// A job: its id and generation, its current and next due time, and the message to send.
struct Job {
    id: String,
    generation: String,
    due: String,
    next: String,
    message: String,
}

/// All due jobs, and the clients to send and advance them.
pub struct BareLoop {
    jobs: Vec<Job>,
    store: Client,
    queue: aws_sdk_sqs::Client,
    url: &'static str,
}

impl BareLoop {
    /// Reads the current state of the jobs.
    pub async fn of(cloud: &Cloud, instance: &Instance) -> Self {
        let aws = cloud.aws_behind(&instance.transport);
        let url = ENVIRONMENT
            .iter()
            .find(|(name, _)| *name == "SCHEDULE_QUEUE_URL")
            .expect("the URL of the queue")
            .1;
        let mut jobs = Vec::new();
        for number in 0..DUE {
            let id = job_id(number).to_string();
            let get = cloud.client().get_item().table_name(SCHEDULES_TABLE);
            let item = get
                .set_key(Some(keys::scheduled_job(&id).attributes()))
                .send()
                .await
                .expect("a store")
                .item;
            let item = item.expect("a job");
            let attribute = |name: &str| item[name].as_s().expect("text").clone();
            let (generation, due) = (attribute("generation"), attribute("next_run_at"));
            let next = due
                .parse::<once::time::Timestamp>()
                .expect("a time")
                .plus(super::PERIOD)
                .to_string();
            // As long as the message of a tick.
            let message = json!({
                "job": id,
                "due_at": due,
                "run": generation,
                "generation": generation,
            })
            .to_string();
            jobs.push(Job { id, generation, due, next, message });
        }
        Self { jobs, store: aws.dynamo(), queue: aws.sqs(), url }
    }

    /// Sends and advances all jobs.
    pub async fn run(&self) {
        join_all(self.jobs.chunks(self.jobs.len().div_ceil(SHARDS)).map(|jobs| self.shard(jobs)))
            .await;
    }

    async fn shard(&self, jobs: &[Job]) {
        let batches = jobs.chunks(BATCH).map(|batch| self.send(batch));
        stream::iter(batches).buffer_unordered(AT_ONCE).try_collect::<()>().await.expect("sent");
        let updates = jobs.iter().map(|job| self.advance(job));
        stream::iter(updates)
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await
            .expect("advanced");
    }

    async fn send(&self, jobs: &[Job]) -> Result<(), aws_sdk_sqs::Error> {
        let entries = jobs.iter().enumerate().map(|(index, job)| {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(&job.message);
            entry.delay_seconds(60).build().expect("an entry")
        });
        self.queue
            .send_message_batch()
            .queue_url(self.url)
            .set_entries(Some(entries.collect()))
            .send()
            .await?;
        Ok(())
    }

    async fn advance(&self, job: &Job) -> Result<(), aws_sdk_dynamodb::Error> {
        let update = self
            .store
            .update_item()
            .table_name(SCHEDULES_TABLE)
            .set_key(Some(keys::scheduled_job(&job.id).attributes()))
            .update_expression("SET next_run_at = :next, due_sk = :next")
            .condition_expression("generation = :generation AND next_run_at = :due")
            .expression_attribute_values(":generation", text(&job.generation))
            .expression_attribute_values(":due", text(&job.due))
            .expression_attribute_values(":next", text(&job.next));
        update.send().await?;
        Ok(())
    }
}
