//! The ledger, the jobs and the queues that tests of settlements begin with.

use std::collections::VecDeque;

use uuid::Uuid;

use super::{Cloud, LEDGER_TABLE, Process, Queued, delivery};
use crate::{
    ledger::Entry,
    settlement::{Days, JobId, WorkError},
    sqs::Delivery,
    time::Day,
};

impl Queued {
    /// As a worker gets it for the first time.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        delivery(&self.body)
    }
}

impl Cloud {
    /// Records so many sales of a merchant on a day, each of 10.00 with a fee of 0.29.
    pub async fn sales(&self, day: &str, merchant: &str, count: u32) {
        let at = day.parse::<Day>().expect("a day").start();
        for n in 0..count {
            let sale = Entry::sale(Uuid::from_u128(n.into()), merchant, 1_000, 29, at);
            let put = self.client().put_item().table_name(LEDGER_TABLE).set_item(Some(sale.item().expect("an item")));
            put.send().await.expect("recorded");
        }
    }

    /// Delivers what the queues of settlements hold, and what comes of it, until they are empty.
    pub async fn deliver_all(&self, process: &Process) {
        let mut queued = VecDeque::from(self.outside().take_queued());
        while let Some(message) = queued.pop_front() {
            process.deliver(&message).await;
            queued.extend(self.outside().take_queued());
        }
    }
}

impl Process {
    /// Asks for a job that settles these days, beside any other.
    pub async fn job(&self, from: &str, to: &str) -> JobId {
        let days = Days { from: from.parse().expect("a day"), to: to.parse().expect("a day") };
        self.app.settlement().create(days, true, self.app.now()).await.expect("a job").job_id
    }

    /// Delivers a message of a queue of settlements to its worker, for the `attempt`th time.
    pub async fn try_to_deliver(&self, message: &Queued, attempt: u32) -> Result<(), WorkError> {
        let (settlement, now) = (self.app.settlement(), self.app.now());
        let delivery = Delivery { attempt, ..message.delivery() };
        match message.queue.rsplit('/').next() {
            Some("plans") => settlement.plan(&delivery, now).await,
            Some("batches") => settlement.batch(&delivery, now).await,
            Some("finishes") => settlement.finish(&delivery, now).await,
            _ => panic!("no worker for {}", message.queue),
        }
    }

    /// Delivers a message for the first time, and it is done.
    pub async fn deliver(&self, message: &Queued) {
        self.try_to_deliver(message, 1).await.expect("the message is done");
    }

    /// Gives a message of a queue of settlements up, which fails its job.
    pub async fn give_up(&self, message: &Queued) {
        self.app.settlement().give_up(&message.delivery(), self.app.now()).await.expect("the message is done");
    }
}
