//! Uniques: **an id is counted once a minute**, over all instances, and each minute's exact count is published once.
//!
//! The record that finds duplicates is the count: accepting an id is one put with the condition that the minute does not have
//! it, and a minute's count is how many records it has. Nothing else is written for an id, so nothing can drift, and
//! no counter is hot. [`MinuteCloser`] counts a minute when no request of it can still be under way, and publishes the
//! number: to the stream, to the table, to the log.
//!
//! Not covered: an id whose put was recorded while every reply was lost. It is answered `failed`, counted, and a duplicate
//! when it comes again in its minute. `docs/UNIQUES.md` has the argument why the count is exact.

mod accept;
mod audit;
mod callbacks;
mod close;
mod counts;
mod id;
mod recent_ids;
mod shard_config;
mod store;
mod stream;

use std::{str::FromStr, time::Duration};

use aws_sdk_dynamodb::Client;

use self::{accept::ConfigCache, recent_ids::RecentIds, store::Store};
use crate::env::{VariableError, Variables};

pub use accept::{AcceptError, AcceptOutcome, AcceptRequest, Accepted};
pub use callbacks::{Callbacks, Failure, Message};
pub use close::{Closed, MinuteCloser};
pub use counts::{Count, Counts, DEFAULT_LIMIT, Limit};
pub use id::{InvalidId, UniqueId};
pub use shard_config::ShardConfig;
pub use stream::MinuteCount;

/// How long after its end a minute is counted: longer than the time-out of the function `accept` and [`CLOCK_SKEW`] together.
pub const GRACE: Duration = Duration::from_secs(15);

/// By how much the clocks of two instances may differ. Lambda's differ by milliseconds.
pub const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// How long after its end a minute is counted a second time. By then also the record of an instance whose clock is wrong has
/// come: a clock that is wrong by five minutes is refused by the store.
pub const AUDIT: Duration = Duration::from_mins(10);

/// What a duplicate is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// `failed`: the caller learns that the id was counted already.
    Refuse,
    /// `ok`, and still counted once.
    Accept,
}

impl FromStr for Duplicates {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "accept" => Ok(Self::Accept),
            _ => Err("must be refuse or accept"),
        }
    }
}

/// Where ids are kept and how they are counted.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Table `Uniques`.
    pub table: String,
    /// Over how many shards the ids of a minute are spread. A partition of the table takes 1 000 writes a second.
    pub shards: u32,
    /// Ids of the current minute that an instance remembers at most.
    pub recent_ids_max: usize,
    /// What a duplicate is answered.
    pub duplicates: Duplicates,
    /// How long the records of ids are kept; a minute that is closed later has lost some.
    pub retention: Duration,
    /// The stream that counts are published to.
    pub stream: String,
    /// The URL of the queue of callbacks.
    pub queue_url: String,
}

impl Settings {
    /// Reads `UNIQUES_TABLE`, `UNIQUE_SHARDS`, `RECENT_IDS_MAX`, `DUPLICATE_IDS`,
    /// `ID_RETENTION_HOURS`, `COUNT_STREAM` and `CALLBACK_QUEUE_URL`.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        let retention_hours = variables.number("ID_RETENTION_HOURS", 24, 1..=168)?;
        Ok(Self {
            table: variables.required("UNIQUES_TABLE")?,
            shards: variables.number("UNIQUE_SHARDS", 256, 1..=4_096)?,
            recent_ids_max: variables.number("RECENT_IDS_MAX", 1_000_000, 0..=10_000_000)?,
            duplicates: variables.parsed("DUPLICATE_IDS", Duplicates::Refuse)?,
            retention: Duration::from_hours(retention_hours),
            stream: variables.required("COUNT_STREAM")?,
            queue_url: variables.required("CALLBACK_QUEUE_URL")?,
        })
    }
}

/// Ids and their counts, as far as callers see them.
#[derive(Debug)]
pub struct Uniques {
    store: Store,
    seen: RecentIds,
    known: ConfigCache,
    shards: u32,
    duplicates: Duplicates,
}

impl Uniques {
    /// Ids in this table, with an empty memory.
    #[must_use]
    pub fn new(client: Client, settings: &Settings) -> Self {
        Self {
            store: Store::new(client, settings),
            seen: RecentIds::new(settings.recent_ids_max),
            known: ConfigCache::default(),
            shards: settings.shards,
            duplicates: settings.duplicates,
        }
    }
}
