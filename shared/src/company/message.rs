//! The message that requests a computation from the worker.

use serde::{Deserialize, Serialize};

use super::{
    CompanyId,
    query::{FiguresKey, Kind},
};

/// Message in the queue of `company-compute`: figures that were claimed and are to be computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    company: CompanyId,
    kind: Kind,
}

impl From<&FiguresKey> for Message {
    fn from(key: &FiguresKey) -> Self {
        Self { company: key.company.clone(), kind: key.kind }
    }
}

impl From<Message> for FiguresKey {
    fn from(message: Message) -> Self {
        Self { company: message.company, kind: message.kind }
    }
}
