//! What an instance remembers: figures until they expire, and companies that are not there.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use super::{
    CompanyId,
    query::{Answer, FiguresKey},
};
use crate::time::Timestamp;

/// Figures that are remembered at most, some kilobytes each. Then all that has expired is forgotten, and if that is not enough, all.
const MAX_ENTRIES: usize = 2_000;

#[derive(Debug, Default)]
pub struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    answers: HashMap<FiguresKey, Arc<Answer>>,
    /// Until when.
    unknown: HashMap<CompanyId, Timestamp>,
}

impl Memory {
    /// Figures that hold at this moment.
    pub fn fresh(&self, figures: &FiguresKey, now: Timestamp) -> Option<Arc<Answer>> {
        self.0.lock().answers.get(figures).filter(|answer| now < answer.expires_at).cloned()
    }

    pub fn remember(&self, figures: FiguresKey, answer: Arc<Answer>, now: Timestamp) {
        let mut state = self.0.lock();
        if state.answers.len() >= MAX_ENTRIES {
            state.answers.retain(|_, answer| now < answer.expires_at);
        }
        if state.answers.len() >= MAX_ENTRIES {
            state.answers.clear();
        }
        state.answers.insert(figures, answer);
    }

    /// The company was not there a moment ago.
    pub fn is_unknown(&self, id: &CompanyId, now: Timestamp) -> bool {
        self.0.lock().unknown.get(id).is_some_and(|until| now < *until)
    }

    pub fn remember_unknown(&self, id: CompanyId, until: Timestamp, now: Timestamp) {
        let mut state = self.0.lock();
        if state.unknown.len() >= MAX_ENTRIES {
            state.unknown.retain(|_, until| now < *until);
        }
        if state.unknown.len() < MAX_ENTRIES {
            state.unknown.insert(id, until);
        }
    }

    /// The company is there from now on.
    pub fn learn_of(&self, id: &CompanyId) {
        self.0.lock().unknown.remove(id);
    }
}
