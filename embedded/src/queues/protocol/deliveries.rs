//! What a receiver does with its deliveries: `DeleteMessage`, `ChangeMessageVisibility` and their
//! batches.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{Response, batch, fault::Fault, parse, queue_name, receipt};
use crate::queues::{Error, Queues, Receipt, queue::VISIBILITY_TIMEOUT};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ChangeMessageVisibility {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Batch<Entry> {
    queue_url: String,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteEntry {
    id: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ChangeEntry {
    id: String,
    receipt_handle: String,
    visibility_timeout: i64,
}

impl Queues {
    pub(super) async fn delete_message(&self, body: &[u8]) -> Result<Response, Fault> {
        let request: DeleteMessage = parse(body)?;
        let queue = queue_name(&request.queue_url);
        self.declared(queue)?;
        self.delete(vec![receipt(queue, &request.receipt_handle)?]).await?;
        Ok(json!({}).into())
    }

    pub(super) async fn delete_message_batch(&self, body: &[u8]) -> Result<Response, Fault> {
        let request: Batch<DeleteEntry> = parse(body)?;
        let queue = queue_name(&request.queue_url);
        self.declared(queue)?;
        batch::check(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let mut results = batch::Results::default();
        let mut receipts = Vec::new();
        for entry in &request.entries {
            match receipt(queue, &entry.receipt_handle) {
                Ok(receipt) => {
                    receipts.push(receipt);
                    results.succeed(json!({"Id": entry.id}));
                }
                Err(error) => results.fail(&entry.id, &error.into()),
            }
        }
        self.delete(receipts).await?;
        Ok(results.into())
    }

    pub(super) async fn change_message_visibility(
        &self,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Response, Fault> {
        let request: ChangeMessageVisibility = parse(body)?;
        let queue = queue_name(&request.queue_url);
        self.declared(queue)?;
        let (receipt, timeout_s) =
            change(queue, &request.receipt_handle, request.visibility_timeout)?;
        self.change_visibility(receipt, timeout_s, now).await?;
        Ok(json!({}).into())
    }

    pub(super) async fn change_message_visibility_batch(
        &self,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Response, Fault> {
        let request: Batch<ChangeEntry> = parse(body)?;
        let queue = queue_name(&request.queue_url);
        self.declared(queue)?;
        batch::check(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let mut results = batch::Results::default();
        let (mut ids, mut changes) = (Vec::new(), Vec::new());
        for ChangeEntry { id, receipt_handle, visibility_timeout } in request.entries {
            match change(queue, &receipt_handle, visibility_timeout) {
                Ok(change) => {
                    ids.push(id);
                    changes.push(change);
                }
                Err(error) => results.fail(&id, &error.into()),
            }
        }
        let outcomes = self.change_visibilities(changes, now).await?;
        for (id, result) in ids.iter().zip(outcomes) {
            match result {
                Ok(()) => results.succeed(json!({"Id": id})),
                Err(error) => results.fail(id, &error.into()),
            }
        }
        Ok(results.into())
    }
}

fn change(queue: &str, handle: &str, timeout_s: i64) -> Result<(Receipt, u32), Error> {
    Ok((receipt(queue, handle)?, VISIBILITY_TIMEOUT.check(timeout_s)?))
}
