//! Cache of an instance: figures until they expire, and companies that were not found.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use super::{
    CompanyId,
    query::{Answer, FiguresKey},
};
use crate::time::Timestamp;

/// Maximum number of cached figures, some kilobytes each, and of missing companies. A full cache
/// drops what has expired. If it is still full, the figures are all dropped, and a missing company
/// is not added.
const MAX_ENTRIES: usize = 2_000;

#[derive(Debug, Default)]
pub struct Cache(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    answers: HashMap<FiguresKey, Arc<Answer>>,
    /// Companies that were not found, each with the end of its entry's lifetime.
    missing: HashMap<CompanyId, Timestamp>,
}

impl Cache {
    /// Returns figures that have not expired.
    pub fn fresh(&self, key: &FiguresKey, now: Timestamp) -> Option<Arc<Answer>> {
        self.0.lock().answers.get(key).filter(|answer| now < answer.expires_at).cloned()
    }

    pub fn insert(&self, key: FiguresKey, answer: Arc<Answer>, now: Timestamp) {
        let mut entries = self.0.lock();
        if entries.answers.len() >= MAX_ENTRIES {
            entries.answers.retain(|_, answer| now < answer.expires_at);
        }
        if entries.answers.len() >= MAX_ENTRIES {
            entries.answers.clear();
        }
        entries.answers.insert(key, answer);
    }

    /// Returns whether the company was not found a moment ago.
    pub fn is_missing(&self, id: &CompanyId, now: Timestamp) -> bool {
        self.0.lock().missing.get(id).is_some_and(|until| now < *until)
    }

    pub fn insert_missing(&self, id: CompanyId, until: Timestamp, now: Timestamp) {
        let mut entries = self.0.lock();
        if entries.missing.len() >= MAX_ENTRIES {
            entries.missing.retain(|_, until| now < *until);
        }
        if entries.missing.len() < MAX_ENTRIES {
            entries.missing.insert(id, until);
        }
    }

    /// Removes the entry of a company that exists now.
    pub fn remove_missing(&self, id: &CompanyId) {
        self.0.lock().missing.remove(id);
    }
}
