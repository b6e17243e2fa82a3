//! The promises of the store, seen by the SDK's client.

mod batches;
mod checkpoints;
mod crash;
mod expiry;
mod failures;
mod items;
mod opening;
mod queries;
mod tables;
mod transactions;

use std::{
    collections::HashMap,
    env, fs,
    ops::Deref,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    types::AttributeValue,
};
use serde_json::{Value, json};

use super::{Durability, Store};

const TABLE: &str = "Items";

/// The index of items by `owner`.
const INDEX: &str = "by_owner";

type Item = HashMap<String, AttributeValue>;

/// A new folder that is removed with its content when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let name = format!("store-{}-{}", process::id(), LAST.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    /// The path of a store.
    fn file(&self) -> PathBuf {
        self.join("store.db")
    }

    /// The size of the store's log.
    fn log_size(&self) -> u64 {
        fs::metadata(self.join("store.db-wal")).expect("a log").len()
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A client of a new store with the table. The folder lives as long as the test.
async fn new_client() -> (Folder, Store, Client) {
    let folder = Folder::new();
    let store = Store::open(folder.file(), Durability::Full).expect("a store");
    store.create_table(&definition()).await.expect("a table");
    let client = client(&store);
    (folder, store, client)
}

/// A client that does not retry.
fn client(store: &Store) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "tests"))
        .retry_config(RetryConfig::disabled())
        .http_client(store.clone());
    Client::from_conf(config.build())
}

fn definition() -> Value {
    json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
            { "AttributeName": "owner", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": INDEX,
            "KeySchema": [{ "AttributeName": "owner", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "ALL" },
        }],
    })
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([("pk".into(), text(pk)), ("sk".into(), text(sk))])
}

/// An item with the attribute `n`.
fn numbered(pk: &str, sk: &str, n: i64) -> Item {
    let mut item = key(pk, sk);
    item.insert("n".into(), number(n));
    item
}

async fn put(client: &Client, item: Item) {
    client.put_item().table_name(TABLE).set_item(Some(item)).send().await.expect("a put");
}

async fn get(client: &Client, pk: &str, sk: &str) -> Option<Item> {
    let get = client.get_item().table_name(TABLE).set_key(Some(key(pk, sk)));
    get.send().await.expect("a get").item
}
