//! The services of a process, with the resources of the template.

use std::{error::Error, sync::Arc};

use embedded::{
    Services,
    dynamo::{Durability, Reply, Store},
    files::{self, Credentials, Files},
    queues::Queues,
    secrets::{GeneratedSecret, Secrets},
    stream::{self, Stream},
    template::{Stack, Table},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    data::{DATABASE, Data},
    names,
};

/// The largest content of an upload, in bytes. A settlement's parts are smaller.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The log of a stream has 16 files of 64 MiB: the counts of some years.
const STREAM_FILE_BYTES: u64 = 64 << 20;
const STREAM_FILES: usize = 16;

/// Opens the services on the data of a process. Their URLs begin with `endpoint`.
pub(crate) async fn open(
    data: &Data,
    durability: Durability,
    stack: &Stack,
    credentials: Credentials,
    endpoint: &str,
) -> Result<Services, Box<dyn Error>> {
    let store = Store::open(data.path(DATABASE), durability)?;
    for table in &stack.tables {
        create_table(&store, table).await?;
    }
    let queues = Queues::open(store.clone(), endpoint, stack.queues.clone()).await?;
    let [bucket] = &stack.buckets[..] else { return Err("template.yaml: not one bucket".into()) };
    let files = files::Settings {
        bucket: names::bucket(&bucket.id),
        max_content_bytes: MAX_FILE_BYTES,
        credentials,
    };
    let [name] = &stack.streams[..] else { return Err("template.yaml: not one stream".into()) };
    let stream = stream::Settings {
        name: name.clone(),
        max_file_bytes: STREAM_FILE_BYTES,
        max_files: STREAM_FILES,
    };
    let secrets: Vec<_> = stack
        .secrets
        .iter()
        .map(|secret| GeneratedSecret { name: &secret.id, length: secret.length as usize })
        .collect();
    Ok(Services {
        store,
        queues: Arc::new(queues),
        stream: Stream::open(&data.path("stream"), stream)?,
        files: Files::open(&data.path("files"), files)?,
        secrets: Secrets::open(&data.path("secrets.json"), &secrets, Timestamp::now())?,
    })
}

/// Creates a table, unless it exists, and sets its time to live.
async fn create_table(store: &Store, table: &Table) -> Result<(), Box<dyn Error>> {
    store.create_table(&table.create_request).await?;
    let Some(attribute) = &table.ttl_attribute else { return Ok(()) };
    let name = json!({ "TableName": table.create_request["TableName"] });
    let described = call(store, "DescribeTimeToLive", &name).await?;
    if described["TimeToLiveDescription"]["AttributeName"] == attribute.as_str() {
        return Ok(());
    }
    let mut update = name;
    update["TimeToLiveSpecification"] = json!({ "Enabled": true, "AttributeName": attribute });
    call(store, "UpdateTimeToLive", &update).await.map(drop)
}

async fn call(store: &Store, operation: &str, request: &Value) -> Result<Value, Box<dyn Error>> {
    let Reply { status, body } = store.execute(operation, request.to_string().into()).await;
    if status != 200 {
        return Err(format!("{operation}: {body}").into());
    }
    Ok(serde_json::from_str(&body)?)
}
