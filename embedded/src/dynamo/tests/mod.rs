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
    fs,
    path::{Path, PathBuf},
};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use serde_json::{Value, json};

use super::{Durability, Store};
use crate::testing::{Folder, InProcess, sdk_config};

const TABLE: &str = "Items";

/// The index of items by `owner`.
const INDEX: &str = "by_owner";

type Item = HashMap<String, AttributeValue>;

/// The path of the store in a folder.
fn store_file(folder: &Path) -> PathBuf {
    folder.join("store.db")
}

/// The size of the log of the store in a folder.
fn log_size(folder: &Path) -> u64 {
    fs::metadata(folder.join("store.db-wal")).expect("a log").len()
}

/// A client of a new store with the table. The folder lives as long as the test.
async fn new_client() -> (Folder, Store, Client) {
    let folder = Folder::new();
    let store = Store::open(store_file(&folder), Durability::Full).expect("a store");
    store.create_table(&definition()).await.expect("a table");
    let client = client(&store);
    (folder, store, client)
}

fn client(store: &Store) -> Client {
    let store = store.clone();
    Client::new(&sdk_config(InProcess::new(move |request| {
        let store = store.clone();
        async move { store.respond(request).await }
    })))
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
