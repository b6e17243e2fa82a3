//! How many messages queues hold, as SQS tells it: about so many.

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
    QueueName,
    exposition::{Family, Metric},
};
use crate::aws::ServiceError;

const MESSAGES: Metric = Metric {
    name: "once_queue_messages",
    help: "Messages of a work queue, about: visible (to be taken now), in_flight (taken and not done), delayed (not yet to be taken)",
};

const DEAD_LETTERS: Metric = Metric {
    name: "once_dead_letters",
    help: "Messages that were tried too often and wait for somebody to look, about",
};

/// How a message can be.
const STATES: [(&str, QueueAttributeName); 3] =
    [("visible", Visible), ("in_flight", InFlight), ("delayed", Delayed)];

/// Queues, and the client that reaches them.
#[derive(Debug)]
pub struct Queues {
    client: Client,
    work: Vec<QueueName>,
    dead_letters: Vec<QueueName>,
}

impl Queues {
    pub fn new(client: Client, work: Vec<QueueName>, dead_letters: Vec<QueueName>) -> Self {
        Self { client, work, dead_letters }
    }

    /// Each queue tells how many messages it has, whatever the number.
    pub async fn answer(&self) -> Result<(), ServiceError> {
        try_join_all(self.work.iter().map(|queue| self.ask(queue, &[Visible]))).await.map(drop)
    }

    /// What each queue holds: one call for each.
    pub async fn depths(&self) -> Result<Vec<Family>, ServiceError> {
        let states = STATES.map(|(_, attribute)| attribute);
        let work = try_join_all(self.work.iter().map(|queue| self.ask(queue, &states)));
        let dead =
            try_join_all(self.dead_letters.iter().map(|queue| self.ask(queue, &states[..1])));
        let (work, dead) = futures_util::try_join!(work, dead)?;
        let mut messages = MESSAGES.family();
        for (queue, counts) in self.work.iter().zip(work) {
            for ((state, _), count) in STATES.iter().zip(counts) {
                messages = messages.with(&[("queue", queue.name), ("state", state)], count);
            }
        }
        let letters = self.dead_letters.iter().zip(dead.into_iter().flatten());
        let letters = letters.fold(DEAD_LETTERS.family(), |all, (queue, count)| {
            all.with(&[("queue", queue.name)], count)
        });
        Ok(vec![messages, letters])
    }

    /// These attributes of a queue, in their order.
    async fn ask(
        &self,
        queue: &QueueName,
        wanted: &[QueueAttributeName],
    ) -> Result<Vec<f64>, ServiceError> {
        let asked = self.client.get_queue_attributes().queue_url(&queue.url);
        let told = asked
            .set_attribute_names(Some(wanted.to_vec()))
            .send()
            .await?
            .attributes
            .unwrap_or_default();
        let count = |name| {
            told.get(name).map_or("", String::as_str).parse().map_err(ServiceError::permanent)
        };
        wanted.iter().map(count).collect()
    }
}
