//! What the tests share: jobs, a receiver that counts what reaches it, and a world in which time passes: ticks come, and the queue delivers.

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
    testing::{Cloud, Instance, Queued},
    time::Timestamp,
};
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How long the queue hides a message whose worker said nothing.
pub const VISIBILITY: Duration = Duration::from_mins(3);

/// So many seconds after noon.
pub fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    Timestamp::from_millis(noon.as_millis() + seconds * 1_000)
}

/// A schedule of every so many seconds, with other members.
pub fn every(seconds: u32, others: Value) -> Value {
    merged(json!({"type": "fixed", "every_seconds": seconds}), others)
}

/// A cron schedule, with other members.
pub fn cron(expression: &str, timezone: &str, others: Value) -> Value {
    merged(json!({"type": "cron", "expression": expression, "timezone": timezone}), others)
}

fn merged(mut schedule: Value, others: Value) -> Value {
    let Value::Object(others) = others else { panic!("an object") };
    schedule.as_object_mut().expect("an object").extend(others);
    schedule
}

/// A server that takes every webhook and remembers its id and body.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub url: String,
    taken: Arc<Mutex<Vec<(String, String)>>>,
    status: Arc<AtomicU16>,
}

impl Receiver {
    async fn start() -> Self {
        let (taken, status) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(AtomicU16::new(204)));
        let take = async |State((taken, status)): State<(Arc<Mutex<Vec<_>>>, Arc<AtomicU16>)>,
                          headers: HeaderMap,
                          body: String| {
            let id = headers["webhook-id"].to_str().expect("ASCII").to_owned();
            taken.lock().expect("whole").push((id, body));
            StatusCode::from_u16(status.load(Ordering::Relaxed)).expect("a status")
        };
        let router =
            Router::new().route("/hook", post(take)).with_state((taken.clone(), status.clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, taken, status }
    }

    /// Answers so from now on.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// Ids and bodies of all that came, in their order.
    pub fn taken(&self) -> Vec<(String, String)> {
        self.taken.lock().expect("whole").clone()
    }

    /// How often each id came.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (id, _) in self.taken() {
            *counts.entry(id).or_default() += 1;
        }
        counts
    }
}

/// A store, a receiver, a queue, and the time.
pub struct World<C = Cloud> {
    pub cloud: C,
    pub receiver: Receiver,
    pub now: Timestamp,
    /// By the time at which they are delivered, and their order.
    waiting: BTreeMap<(Timestamp, u64), (String, u32)>,
    sent: u64,
}

impl World {
    /// With a store of its own.
    pub async fn new(now: Timestamp) -> Self {
        let cloud = Cloud::start().await;
        Self { receiver: receiver(&cloud).await, cloud, now, waiting: BTreeMap::new(), sent: 0 }
    }
}

impl<'a> World<&'a Cloud> {
    /// Over a store that is there.
    pub async fn over(cloud: &'a Cloud, now: Timestamp) -> Self {
        Self { receiver: receiver(cloud).await, cloud, now, waiting: BTreeMap::new(), sent: 0 }
    }
}

impl<C: Borrow<Cloud>> World<C> {
    /// A process that may reach this machine.
    pub fn instance(&self) -> Instance {
        self.cloud.borrow().instance_with(local)
    }

    /// A job that calls the receiver, with this schedule.
    pub async fn scheduled(&mut self, instance: &Instance, schedule: Value) -> ScheduledJobId {
        let id = job(instance, &self.receiver, self.now).await;
        put(instance, id, schedule, self.now).await;
        self.collect();
        id
    }

    /// A message comes once more.
    pub fn again(&mut self, Delivered(delivery): &Delivered) {
        self.enqueue(delivery.body.clone(), Duration::ZERO, delivery.attempt + 1);
    }

    /// What was sent is in the queue.
    pub fn collect(&mut self) {
        for Queued { body, delay_seconds, .. } in self.cloud.borrow().services().take_queued() {
            self.enqueue(body, Duration::from_secs(delay_seconds), 1);
        }
    }

    fn enqueue(&mut self, body: String, delay: Duration, attempt: u32) {
        self.sent += 1;
        self.waiting.insert((self.now.plus(delay), self.sent), (body, attempt));
    }

    /// Every message in the queue comes once more, at the same time.
    pub fn double(&mut self) {
        let again: Vec<_> =
            self.waiting.iter().map(|(&(at, _), message)| (at, message.clone())).collect();
        for (at, message) in again {
            self.sent += 1;
            self.waiting.insert((at, self.sent), message);
        }
    }

    pub fn messages(&self) -> usize {
        self.waiting.len()
    }

    /// A tick at a moment, and what it sends.
    pub async fn tick(&mut self, instance: &Instance, now: Timestamp) {
        self.now = now;
        instance.app.schedules().tick(now).await.expect("a tick");
        self.collect();
    }

    /// Time passes until a moment, and the queue delivers what is due.
    pub async fn until(&mut self, end: Timestamp, instance: &Instance) -> Vec<RunOutcome> {
        let mut left = Vec::new();
        while let Some(delivered) = self.next(end) {
            let done = delivered.to(instance, self.now).await;
            left.extend(done.as_ref().ok());
            self.done(delivered, done.is_ok());
        }
        self.now = self.now.max(end);
        left
    }

    /// The next message that is due until a moment, at whose time it is now.
    pub fn next(&mut self, end: Timestamp) -> Option<Delivered> {
        self.collect();
        let (&(due, order), _) =
            self.waiting.first_key_value().filter(|((due, _), _)| *due <= end)?;
        let (body, attempt) = self.waiting.remove(&(due, order)).expect("it is there");
        self.now = self.now.max(due);
        Some(Delivered(Delivery { body, receipt: order.to_string(), attempt }))
    }

    /// A message that is not done comes again, when its worker said, or when it said nothing.
    pub fn done(&mut self, Delivered(delivery): Delivered, done: bool) {
        if !done {
            let hidden = self.cloud.borrow().services().postponed();
            let hidden = hidden.iter().rev().find(|(receipt, _)| *receipt == delivery.receipt);
            let pause = hidden.map_or(VISIBILITY, |(_, seconds)| Duration::from_secs(*seconds));
            self.enqueue(delivery.body, pause, delivery.attempt + 1);
        }
        self.collect();
    }

    /// Minute after minute, with a tick at the beginning of each.
    pub async fn minutes(&mut self, instance: &Instance, minutes: u64) {
        for _ in 0..minutes {
            self.tick(instance, self.now).await;
            self.until(self.now.plus(Duration::from_mins(1)), instance).await;
        }
    }
}

/// A message in the hands of a worker.
pub struct Delivered(Delivery);

impl Delivered {
    pub async fn to(&self, instance: &Instance, now: Timestamp) -> Result<RunOutcome, RunError> {
        instance.app.schedules().run(&self.0, instance.app.action_context(), now).await
    }
}

/// Webhooks may go to this machine.
pub fn local(config: &mut Config) {
    config.webhooks.guard.allow_private = true;
}

/// A receiver, and what its webhooks are signed with.
pub async fn receiver(cloud: &Cloud) -> Receiver {
    cloud.services().set_parameter("/once/webhook-secret", SECRET);
    Receiver::start().await
}

/// A job that calls a receiver.
pub async fn job(instance: &Instance, receiver: &Receiver, now: Timestamp) -> ScheduledJobId {
    let action = json!({"type": "webhook", "url": receiver.url, "body": {"n": 1}});
    instance.at(now).scheduled_job_of(json!({"name": "ping", "action": action})).await
}

/// Gives a job a schedule.
pub async fn put(
    instance: &Instance,
    id: ScheduledJobId,
    schedule: Value,
    now: Timestamp,
) -> JobView {
    instance.at(now).schedule(id, schedule).await
}

/// The whole history of a job, the first due first.
pub async fn history(instance: &Instance, id: ScheduledJobId, now: Timestamp) -> Vec<RunView> {
    let mut runs = Vec::new();
    let mut before = None;
    loop {
        let limit = 100.try_into().expect("fit");
        let page =
            instance.app.schedules().runs(id, limit, before.as_ref(), now).await.expect("a page");
        runs.extend(page.runs);
        before = page.next_cursor;
        if before.is_none() {
            runs.reverse();
            return runs;
        }
    }
}

/// Seconds after noon at which runs were due.
pub fn dues(runs: &[RunView]) -> Vec<i64> {
    runs.iter().map(|run| (run.due_at.as_millis() - at(0).as_millis()) / 1_000).collect()
}
