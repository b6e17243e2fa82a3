//! Depths of queues, approximate, as reported by SQS.

use aws_sdk_sqs::{
    Client,
    types::QueueAttributeName::{
        self, ApproximateNumberOfMessages as Visible,
        ApproximateNumberOfMessagesDelayed as Delayed,
        ApproximateNumberOfMessagesNotVisible as InFlight,
    },
};
use futures_util::future::try_join_all;

use super::{
    Queue,
    exposition::{Family, Metric},
};
use crate::aws::ServiceError;

const MESSAGES: Metric = Metric {
    name: "once_queue_messages",
    help: "Messages in a work queue, approximate: visible (ready to be received), in_flight \
           (received and not deleted), delayed (not yet ready)",
};

const DEAD_LETTERS: Metric = Metric {
    name: "once_dead_letters",
    help: "Messages in a dead-letter queue, approximate: all attempts failed",
};

/// States of a message, with the attributes that count them.
const STATES: [(&str, QueueAttributeName); 3] =
    [("visible", Visible), ("in_flight", InFlight), ("delayed", Delayed)];

/// The queues of the deployment.
#[derive(Debug)]
pub struct Queues {
    client: Client,
    work: Vec<Queue>,
    dead_letters: Vec<Queue>,
}

impl Queues {
    pub fn new(client: Client, work: Vec<Queue>, dead_letters: Vec<Queue>) -> Self {
        Self { client, work, dead_letters }
    }

    /// Checks that each work queue reports its depth, whatever it is.
    pub async fn check(&self) -> Result<(), ServiceError> {
        try_join_all(self.work.iter().map(|queue| self.counts(queue, &[Visible]))).await.map(drop)
    }

    /// Returns the depth of each queue: one call per queue.
    pub async fn depths(&self) -> Result<Vec<Family>, ServiceError> {
        let states = STATES.map(|(_, attribute)| attribute);
        let work = try_join_all(self.work.iter().map(|queue| self.counts(queue, &states)));
        let dead =
            try_join_all(self.dead_letters.iter().map(|queue| self.counts(queue, &states[..1])));
        let (work, dead) = futures_util::try_join!(work, dead)?;
        let mut messages = MESSAGES.family();
        for (queue, counts) in self.work.iter().zip(work) {
            for ((state, _), count) in STATES.iter().zip(counts) {
                messages = messages.with(&[("queue", queue.name), ("state", state)], count);
            }
        }
        let dead_letters = self.dead_letters.iter().zip(dead.into_iter().flatten());
        let dead_letters = dead_letters.fold(DEAD_LETTERS.family(), |all, (queue, count)| {
            all.with(&[("queue", queue.name)], count)
        });
        Ok(vec![messages, dead_letters])
    }

    /// Returns the values of these attributes of a queue, in the same order.
    async fn counts(
        &self,
        queue: &Queue,
        names: &[QueueAttributeName],
    ) -> Result<Vec<f64>, ServiceError> {
        let request = self.client.get_queue_attributes().queue_url(&queue.url);
        let attributes = request
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await?
            .attributes
            .unwrap_or_default();
        let count = |name| {
            attributes.get(name).map_or("", String::as_str).parse().map_err(ServiceError::permanent)
        };
        names.iter().map(count).collect()
    }
}
