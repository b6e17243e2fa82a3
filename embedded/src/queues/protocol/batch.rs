//! Batches: their entries' ids, and results entry by entry.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    Response,
    fault::{Fault, Kind},
};

/// The largest number of entries of a batch.
const MAX_ENTRIES: usize = 10;

/// Checks the number of entries and their ids.
pub(super) fn check<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), Fault> {
    if ids.len() == 0 {
        return Err(Fault::new(Kind::EmptyBatchRequest, "Entries: must not be empty"));
    }
    if ids.len() > MAX_ENTRIES {
        let message = format!("Entries: must be at most {MAX_ENTRIES}");
        return Err(Fault::new(Kind::TooManyEntriesInBatchRequest, message));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut seen = HashSet::new();
    for id in ids {
        if !(1..=80).contains(&id.len()) || !id.chars().all(allowed) {
            let message = "Id: must be 1 to 80 letters, digits, hyphens and underscores";
            return Err(Fault::new(Kind::InvalidBatchEntryId, message));
        }
        if !seen.insert(id) {
            let message = format!("Id: `{id}` is used twice");
            return Err(Fault::new(Kind::BatchEntryIdsNotDistinct, message));
        }
    }
    Ok(())
}

/// The results of a batch.
#[derive(Default)]
pub(super) struct Results {
    successful: Vec<Value>,
    failed: Vec<Value>,
}

impl Results {
    /// Adds an entry that succeeded: its id and what else the operation answers.
    pub(super) fn succeed(&mut self, entry: Value) {
        self.successful.push(entry);
    }

    pub(super) fn fail(&mut self, id: &str, fault: &Fault) {
        self.failed.push(fault.entry(id));
    }
}

impl From<Results> for Response {
    fn from(Results { successful, failed }: Results) -> Self {
        json!({"Successful": successful, "Failed": failed}).into()
    }
}
