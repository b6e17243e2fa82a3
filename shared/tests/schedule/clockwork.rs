//! What the tests share: jobs, a receiver that counts its webhooks, and a simulated world in which
//! time passes, ticks run and the queue delivers.

use std::{
    borrow::Borrow,
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use once::{
    config::Config,
    schedule::{JobView, RunError, RunOutcome, RunView, ScheduledJobId},
    sqs::Delivery,
    testing::{Cloud, Instance, QueuedMessage},
    time::Timestamp,
};
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The visibility timeout of the queue.
pub const VISIBILITY_TIMEOUT: Duration = Duration::from_mins(3);

/// The time that is this number of seconds after noon.
pub fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    Timestamp::from_millis(noon.as_millis() + seconds * 1_000)
}

/// A schedule with a fixed interval, and these further members.
pub fn every(seconds: u32, members: Value) -> Value {
    merged(json!({"type": "fixed", "every_seconds": seconds}), members)
}

/// A cron schedule, with these further members.
pub fn cron(expression: &str, timezone: &str, members: Value) -> Value {
    merged(json!({"type": "cron", "expression": expression, "timezone": timezone}), members)
}

fn merged(mut schedule: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("an object") };
    schedule.as_object_mut().expect("an object").extend(members);
    schedule
}

/// A server that accepts every webhook and records its id and body.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub url: String,
    received: Arc<Mutex<Vec<(String, String)>>>,
    status: Arc<AtomicU16>,
}

impl Receiver {
    async fn start() -> Self {
        let (received, status) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(AtomicU16::new(204)));
        let receive =
            async |State((received, status)): State<(Arc<Mutex<Vec<_>>>, Arc<AtomicU16>)>,
                   headers: HeaderMap,
                   body: String| {
                let id = headers["webhook-id"].to_str().expect("ASCII").to_owned();
                received.lock().expect("not poisoned").push((id, body));
                StatusCode::from_u16(status.load(Ordering::Relaxed)).expect("a status")
            };
        let router = Router::new()
            .route("/hook", post(receive))
            .with_state((received.clone(), status.clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, received, status }
    }

    /// Responds with this status from now on.
    pub fn respond_with(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// The ids and bodies of all webhooks, in the order of their arrival.
    pub fn received(&self) -> Vec<(String, String)> {
        self.received.lock().expect("not poisoned").clone()
    }

    /// The number of webhooks with each id.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (id, _) in self.received() {
            *counts.entry(id).or_default() += 1;
        }
        counts
    }
}

/// A cloud, a receiver, a queue, and the time.
pub struct World<C = Cloud> {
    pub cloud: C,
    pub receiver: Receiver,
    pub now: Timestamp,
    /// Bodies and attempts of the queued messages, by the time of their delivery and their number.
    queue: BTreeMap<(Timestamp, u64), (String, u32)>,
    sent: u64,
}

impl World {
    /// A world with a cloud of its own.
    pub async fn new(now: Timestamp) -> Self {
        let cloud = Cloud::start().await;
        Self { receiver: receiver(&cloud).await, cloud, now, queue: BTreeMap::new(), sent: 0 }
    }
}

impl<'a> World<&'a Cloud> {
    /// A world with an existing cloud.
    pub async fn with_cloud(cloud: &'a Cloud, now: Timestamp) -> Self {
        Self { receiver: receiver(cloud).await, cloud, now, queue: BTreeMap::new(), sent: 0 }
    }
}

impl<C: Borrow<Cloud>> World<C> {
    /// A process that may call receivers on this machine.
    pub fn instance(&self) -> Instance {
        self.cloud.borrow().instance_with(allow_private_receivers)
    }

    /// Creates a job that calls the receiver, with this schedule.
    pub async fn schedule_job(&mut self, instance: &Instance, schedule: Value) -> ScheduledJobId {
        let id = create_job(instance, &self.receiver, self.now).await;
        set_schedule(instance, id, schedule, self.now).await;
        self.collect_messages();
        id
    }

    /// Queues a message for one more delivery, now.
    pub fn redeliver(&mut self, ReceivedMessage(delivery): &ReceivedMessage) {
        self.enqueue(delivery.body.clone(), Duration::ZERO, delivery.attempt + 1);
    }

    /// Puts the messages that were sent into the queue.
    pub fn collect_messages(&mut self) {
        for QueuedMessage { body, delay_seconds, .. } in
            self.cloud.borrow().services().take_queued()
        {
            self.enqueue(body, Duration::from_secs(delay_seconds), 1);
        }
    }

    fn enqueue(&mut self, body: String, delay: Duration, attempt: u32) {
        self.sent += 1;
        self.queue.insert((self.now.plus(delay), self.sent), (body, attempt));
    }

    /// Duplicates every message in the queue.
    pub fn duplicate_messages(&mut self) {
        let duplicates: Vec<_> =
            self.queue.iter().map(|(&(at, _), message)| (at, message.clone())).collect();
        for (at, message) in duplicates {
            self.sent += 1;
            self.queue.insert((at, self.sent), message);
        }
    }

    pub fn message_count(&self) -> usize {
        self.queue.len()
    }

    /// Runs a tick at a moment, and queues its messages.
    pub async fn tick(&mut self, instance: &Instance, now: Timestamp) {
        self.now = now;
        instance.app.schedules().tick(now).await.expect("a tick");
        self.collect_messages();
    }

    /// Lets time pass until a moment, while the queue delivers its messages.
    pub async fn run_until(&mut self, end: Timestamp, instance: &Instance) -> Vec<RunOutcome> {
        let mut outcomes = Vec::new();
        while let Some(message) = self.next_message(end) {
            let outcome = message.deliver_to(instance, self.now).await;
            outcomes.extend(outcome.as_ref().ok());
            self.acknowledge(message, outcome.is_ok());
        }
        self.now = self.now.max(end);
        outcomes
    }

    /// Receives the next message that is visible until a moment, and advances the time to it.
    pub fn next_message(&mut self, end: Timestamp) -> Option<ReceivedMessage> {
        self.collect_messages();
        let (&(due, number), _) =
            self.queue.first_key_value().filter(|((due, _), _)| *due <= end)?;
        let (body, attempt) = self.queue.remove(&(due, number)).expect("a message");
        self.now = self.now.max(due);
        Some(ReceivedMessage(Delivery { body, receipt: number.to_string(), attempt }))
    }

    /// Ends a delivery. A message that is not consumed is delivered again at the time to which its
    /// worker postponed it, or after the visibility timeout.
    pub fn acknowledge(&mut self, ReceivedMessage(delivery): ReceivedMessage, is_consumed: bool) {
        if !is_consumed {
            let changes = self.cloud.borrow().services().visibility_changes();
            let change = changes.iter().rev().find(|(receipt, _)| *receipt == delivery.receipt);
            let pause =
                change.map_or(VISIBILITY_TIMEOUT, |(_, seconds)| Duration::from_secs(*seconds));
            self.enqueue(delivery.body, pause, delivery.attempt + 1);
        }
        self.collect_messages();
    }

    /// Lets minutes pass, with a tick at the start of each.
    pub async fn run_minutes(&mut self, instance: &Instance, minutes: u64) {
        for _ in 0..minutes {
            self.tick(instance, self.now).await;
            self.run_until(self.now.plus(Duration::from_mins(1)), instance).await;
        }
    }
}

/// A message that a worker received.
pub struct ReceivedMessage(Delivery);

impl ReceivedMessage {
    pub async fn deliver_to(
        &self,
        instance: &Instance,
        now: Timestamp,
    ) -> Result<RunOutcome, RunError> {
        instance.app.schedules().run(&self.0, instance.app.action_context(), now).await
    }
}

/// Lets webhooks call receivers on this machine.
pub fn allow_private_receivers(config: &mut Config) {
    config.webhooks.guard.allow_private = true;
}

/// Starts a receiver, and sets the secret of its webhooks.
pub async fn receiver(cloud: &Cloud) -> Receiver {
    cloud.services().set_webhook_secret(SECRET);
    Receiver::start().await
}

/// Creates a job that calls a receiver, without a schedule.
pub async fn create_job(
    instance: &Instance,
    receiver: &Receiver,
    now: Timestamp,
) -> ScheduledJobId {
    let action = json!({"type": "webhook", "url": receiver.url, "body": {"n": 1}});
    instance.at(now).create_scheduled_job_from(json!({"name": "ping", "action": action})).await
}

/// Sets the schedule of a job.
pub async fn set_schedule(
    instance: &Instance,
    id: ScheduledJobId,
    schedule: Value,
    now: Timestamp,
) -> JobView {
    instance.at(now).set_schedule(id, schedule).await
}

/// Reads all runs of a job, earliest due first.
pub async fn history(instance: &Instance, id: ScheduledJobId, now: Timestamp) -> Vec<RunView> {
    let mut runs = Vec::new();
    let mut before = None;
    loop {
        let limit = 100.try_into().expect("a limit");
        let page =
            instance.app.schedules().runs(id, limit, before.as_ref(), now).await.expect("a page");
        runs.extend(page.rows);
        before = page.next;
        if before.is_none() {
            runs.reverse();
            return runs;
        }
    }
}

/// The seconds after noon at which runs were due.
pub fn due_seconds(runs: &[RunView]) -> Vec<i64> {
    runs.iter().map(|run| (run.due_at.as_millis() - at(0).as_millis()) / 1_000).collect()
}
