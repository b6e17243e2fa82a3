//! What the tests share: a company with some sales, requests for its figures, and the workers that compute them.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use once::{
    company::{CacheStatus, CompanyId, FiguresError, FiguresKey, Kind, Response},
    dynamo::keys::{self, Key},
    testing::{COMPANIES_TABLE, Cloud, Instance, Queued},
    time::Timestamp,
};
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

pub const KINDS: [Kind; 3] = [Kind::Financials, Kind::Sales, Kind::Employee];

/// The company that most tests ask for.
pub const COMPANY: &str = "company";

/// What reading a base asks of the ledger: its days, and the shards of each.
pub const QUERIES: usize = 30 * 8;

/// So many seconds after noon.
pub fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    Timestamp::from_millis(noon.as_millis() + seconds * 1_000)
}

pub fn id(company: &str) -> CompanyId {
    company.to_owned().try_into().expect("a fit name")
}

pub fn figures(company: &str, kind: Kind) -> FiguresKey {
    FiguresKey { company: id(company), kind }
}

/// An instance whose callers wait as long as a busy machine may take.
pub fn new_instance(cloud: &Cloud) -> Instance {
    waiting(cloud, Duration::from_mins(1))
}

/// An instance whose callers wait so long.
pub fn waiting(cloud: &Cloud, wait: Duration) -> Instance {
    cloud.instance_with(|config| config.companies.wait = wait)
}

/// Tells of a company with so many employees.
pub async fn put(instance: &Instance, company: &str, employees: u32) {
    let profile =
        serde_json::from_value(serde_json::json!({"name": "A Company", "employees": employees}));
    instance
        .app
        .companies()
        .put(id(company), profile.expect("a fit profile"), at(0))
        .await
        .expect("put");
}

/// A store with a company, seven sales on the day before and three a month ago, which are too old by a day.
pub async fn begin() -> Cloud {
    let cloud = Cloud::start().await;
    put(&cloud.instance(), COMPANY, 7).await;
    cloud.sales("2026-11-19", COMPANY, 7).await;
    cloud.sales("2026-10-21", COMPANY, 3).await;
    cloud
}

pub async fn ask(
    instance: &Instance,
    kind: Kind,
    now: Timestamp,
) -> Result<Response, FiguresError> {
    instance.app.companies().figures(figures(COMPANY, kind), now).await
}

/// All kinds at the same time.
pub async fn ask_all(instance: &Instance, now: Timestamp) -> Vec<Result<Response, FiguresError>> {
    join_all(KINDS.map(|kind| ask(instance, kind, now))).await
}

pub async fn compute(instance: &Instance, message: &Queued, now: Timestamp) {
    instance.app.companies().compute(&message.delivery(), now).await.expect("the message is done");
}

/// The messages that are sent while requests wait, as soon as there are so many.
pub async fn sent(cloud: &Cloud, count: usize) -> Vec<Queued> {
    let mut messages = Vec::new();
    while messages.len() < count {
        sleep(Duration::from_millis(1)).await;
        messages.extend(cloud.services().take_queued());
    }
    messages
}

/// A caller asks, and has left when the message of its request is there.
pub async fn asked(cloud: &Cloud, kind: Kind, now: Timestamp) -> Queued {
    let instance = new_instance(cloud);
    tokio::select! {
        answer = ask(&instance, kind, now) => panic!("{answer:?} without a worker"),
        mut messages = sent(cloud, 1) => messages.remove(0),
    }
}

/// Gives each message to the next of these workers while requests wait for what they do.
pub async fn served<T>(
    cloud: &Cloud,
    workers: &[Instance],
    now: Timestamp,
    requests: impl Future<Output = T>,
) -> T {
    let clocks: Vec<_> = workers.iter().map(|worker| worker.at(now)).collect();
    served_by(cloud, &clocks, requests).await
}

/// The same by workers with clocks of their own.
pub async fn served_by<T>(
    cloud: &Cloud,
    workers: &[Instance],
    requests: impl Future<Output = T>,
) -> T {
    let mut at_work = JoinSet::new();
    let delivering = async {
        let mut next = workers.iter().cycle();
        loop {
            for message in sent(cloud, 1).await {
                let worker = next.next().expect("workers").clone();
                at_work.spawn(async move { compute(&worker, &message, worker.app.now()).await });
            }
        }
    };
    let done = tokio::select! {
        done = requests => done,
        never = delivering => never,
    };
    at_work.join_all().await;
    done
}

/// What was asked for, computed by a new worker.
pub async fn get(cloud: &Cloud, kind: Kind, now: Timestamp) -> Result<Response, FiguresError> {
    let instance = new_instance(cloud);
    served(cloud, &[new_instance(cloud)], now, ask(&instance, kind, now)).await
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

/// How often a company's base was claimed, and each kind was claimed or taken.
pub async fn fences(cloud: &Cloud, company: &str) -> (u64, [u64; 3]) {
    let fence = async |key| {
        let item = item(cloud, key).await;
        item.get("fence").map_or(0, |fence| fence.parse().expect("a number"))
    };
    let mut kinds = [0; 3];
    for (place, kind) in KINDS.into_iter().enumerate() {
        kinds[place] = fence(figures(company, kind).key()).await;
    }
    (fence(keys::base(company)).await, kinds)
}

/// Calls of a kind that were sent since this was asked last.
pub fn calls(processes: &[Instance], operation: &str) -> usize {
    let sent = processes.iter().flat_map(|instance| instance.transport.take_sent());
    sent.filter(|call| call.operation == operation).count()
}

pub fn body(asked: &Response) -> Value {
    serde_json::from_str(&asked.answer.body).expect("JSON")
}

/// What is left of an answer when the moment of its computation is left out.
pub fn told(asked: &Response) -> Value {
    let mut body = body(asked);
    body.as_object_mut().expect("an object").remove("computed_at").expect("a moment");
    body
}

/// How many of these answers came about in this way.
pub fn count(answers: &[Response], status: CacheStatus) -> usize {
    answers.iter().filter(|asked| asked.status == status).count()
}

/// Waits, as long as it takes, for something to be so.
pub async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        sleep(Duration::from_millis(1)).await;
    }
}
