//! Fixtures: a company with some sales, requests for its figures, and workers that compute them.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use once::{
    company::{CacheStatus, CompanyId, FiguresError, FiguresKey, Kind, Response},
    dynamo::keys::{self, Key},
    testing::{COMPANIES_TABLE, Cloud, Instance, QueuedMessage},
    time::Timestamp,
};
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

pub const KINDS: [Kind; 3] = [Kind::Financials, Kind::Sales, Kind::Employee];

/// The company of most tests.
pub const COMPANY: &str = "company";

/// Number of queries that read a base: its days times the shards of each.
pub const QUERIES: usize = 30 * 8;

/// Returns the time this number of seconds after noon.
pub fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    Timestamp::from_millis(noon.as_millis() + seconds * 1_000)
}

pub fn id(company: &str) -> CompanyId {
    company.to_owned().try_into().expect("a valid id")
}

pub fn figures_key(company: &str, kind: Kind) -> FiguresKey {
    FiguresKey { company: id(company), kind }
}

/// Returns an instance whose callers wait long enough for a busy machine.
pub fn new_instance(cloud: &Cloud) -> Instance {
    instance_with_wait(cloud, Duration::from_mins(1))
}

/// Returns an instance whose callers wait for this time.
pub fn instance_with_wait(cloud: &Cloud, wait: Duration) -> Instance {
    cloud.instance_with(|config| config.companies.wait = wait)
}

/// Creates or replaces a company with this number of employees.
pub async fn put_company(instance: &Instance, company: &str, employees: u32) {
    let profile =
        serde_json::from_value(serde_json::json!({"name": "A Company", "employees": employees}));
    instance
        .app
        .companies()
        .put(id(company), profile.expect("a valid profile"), at(0))
        .await
        .expect("put");
}

/// Returns a store with a company that has seven sales on the day before, and three a month ago,
/// which are one day too old.
pub async fn setup() -> Cloud {
    let cloud = Cloud::start().await;
    put_company(&cloud.instance(), COMPANY, 7).await;
    cloud.record_sales("2026-11-19", COMPANY, 7).await;
    cloud.record_sales("2026-10-21", COMPANY, 3).await;
    cloud
}

pub async fn request(
    instance: &Instance,
    kind: Kind,
    now: Timestamp,
) -> Result<Response, FiguresError> {
    instance.app.companies().figures(figures_key(COMPANY, kind), now).await
}

/// Requests all kinds concurrently.
pub async fn request_all(
    instance: &Instance,
    now: Timestamp,
) -> Vec<Result<Response, FiguresError>> {
    join_all(KINDS.map(|kind| request(instance, kind, now))).await
}

pub async fn compute(instance: &Instance, message: &QueuedMessage, now: Timestamp) {
    instance.app.companies().compute(&message.delivery(), now).await.expect("a handled message");
}

/// Returns the messages that requests send, as soon as there are at least `count`.
pub async fn next_messages(cloud: &Cloud, count: usize) -> Vec<QueuedMessage> {
    let mut messages = Vec::new();
    while messages.len() < count {
        sleep(Duration::from_millis(1)).await;
        messages.extend(cloud.services().take_queued());
    }
    messages
}

/// Starts a request, drops it when its message is sent, and returns the message.
pub async fn abandoned_request(cloud: &Cloud, kind: Kind, now: Timestamp) -> QueuedMessage {
    let instance = new_instance(cloud);
    tokio::select! {
        answer = request(&instance, kind, now) => panic!("{answer:?} without a worker"),
        mut messages = next_messages(cloud, 1) => messages.remove(0),
    }
}

/// Awaits the requests, and meanwhile hands each message to the next of these workers.
pub async fn with_workers<T>(
    cloud: &Cloud,
    workers: &[Instance],
    now: Timestamp,
    requests: impl Future<Output = T>,
) -> T {
    let clocks: Vec<_> = workers.iter().map(|worker| worker.at(now)).collect();
    with_clocked_workers(cloud, &clocks, requests).await
}

/// Like [`with_workers`], with workers that have clocks of their own.
pub async fn with_clocked_workers<T>(
    cloud: &Cloud,
    workers: &[Instance],
    requests: impl Future<Output = T>,
) -> T {
    let mut running = JoinSet::new();
    let delivery = async {
        let mut next = workers.iter().cycle();
        loop {
            for message in next_messages(cloud, 1).await {
                let worker = next.next().expect("workers").clone();
                running.spawn(async move { compute(&worker, &message, worker.app.now()).await });
            }
        }
    };
    let output = tokio::select! {
        output = requests => output,
        never = delivery => never,
    };
    running.join_all().await;
    output
}

/// Requests figures, which a new worker computes if necessary.
pub async fn computed(cloud: &Cloud, kind: Kind, now: Timestamp) -> Result<Response, FiguresError> {
    let instance = new_instance(cloud);
    with_workers(cloud, &[new_instance(cloud)], now, request(&instance, kind, now)).await
}

pub async fn item(cloud: &Cloud, key: Key) -> BTreeMap<String, String> {
    let get = cloud.client().get_item().table_name(COMPANIES_TABLE).set_key(Some(key.attributes()));
    let item = get.send().await.expect("read").item.unwrap_or_default();
    let text = |value: &aws_sdk_dynamodb::types::AttributeValue| {
        value.as_s().or_else(|_| value.as_n()).ok().cloned()
    };
    item.into_iter()
        .map(|(name, value)| (name, text(&value).expect("a text or a number")))
        .collect()
}

/// Returns the fences of a company's base and kinds: the number of their claims and takeovers.
pub async fn fences(cloud: &Cloud, company: &str) -> (u64, [u64; 3]) {
    let fence = async |key| {
        let item = item(cloud, key).await;
        item.get("fence").map_or(0, |fence| fence.parse().expect("a number"))
    };
    let mut kinds = [0; 3];
    for (index, kind) in KINDS.into_iter().enumerate() {
        kinds[index] = fence(figures_key(company, kind).claim_key()).await;
    }
    (fence(keys::base(company)).await, kinds)
}

/// Returns the number of calls of an operation since the last query.
pub fn calls(instances: &[Instance], operation: &str) -> usize {
    let calls = instances.iter().flat_map(|instance| instance.transport.take_calls());
    calls.filter(|call| call.operation == operation).count()
}

pub fn body(response: &Response) -> Value {
    serde_json::from_str(&response.answer.body).expect("JSON")
}

/// Returns the body without the time of its computation.
pub fn body_without_time(response: &Response) -> Value {
    let mut body = body(response);
    body.as_object_mut().expect("an object").remove("computed_at").expect("a time");
    body
}

/// Returns the number of answers with this status.
pub fn count(answers: &[Response], status: CacheStatus) -> usize {
    answers.iter().filter(|response| response.status == status).count()
}

/// Waits until a condition holds.
pub async fn wait_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        sleep(Duration::from_millis(1)).await;
    }
}
