//! Uniques: **an id is counted once per minute**, over all instances, and each minute's exact count
//! is published once.
//!
//! The record that detects duplicates is the count: accepting an id is one put with the condition
//! that its minute does not have it yet, and a minute's count is the number of its records. Nothing
//! else is written for an id, so nothing can drift and no counter becomes hot. [`MinuteCloser`]
//! counts a minute once none of its requests can still be in flight, and publishes the count to the
//! stream, the table and the log.
//!
//! Not covered: an id whose put was recorded while every reply was lost. Its request is answered
//! `failed`, the id is counted, and a repeat in the same minute is a duplicate.
//! `docs/UNIQUES.md` explains why the count is exact.
//!
//! | module | contents |
//! |---|---|
//! | `id` | ids |
//! | `accept` | accepting an id |
//! | `recent_ids` | an instance's cache of the current minute's ids |
//! | `shard_config` | the number of shards that a minute's ids are spread over |
//! | `close`, `audit` | closing minutes, and counting them a second time |
//! | `stream` | the stream that counts are published to |
//! | `callbacks` | sending a minute's count to callback URLs |
//! | `counts` | reading published counts |
//! | `store` | ids and counts as items of the table |

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
pub use callbacks::{CallbackError, Callbacks, Message};
pub use close::{MinuteCloser, TickSummary};
pub use counts::{Count, DEFAULT_LIMIT, Limit};
pub use id::{InvalidId, UniqueId};
pub use shard_config::ShardConfig;
pub use stream::MinuteCount;

/// The time from the end of a minute until it is counted: longer than `WRITE_TIME` by an instance's
/// clock, the difference of that clock from the gateway's, and that of the clock by which the
/// minute is closed.
pub const GRACE: Duration = Duration::from_secs(15);

/// The most by which a clock may differ from the gateway's. Lambda's differ by milliseconds. An
/// instance refuses requests beyond it.
pub const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// The time from the arrival of a request at the gateway until its put must have been sent. A
/// second is left of [`GRACE`] for the way to the store.
const WRITE_TIME: Duration = Duration::from_secs(4);

const _: () = assert!(GRACE.as_secs() > WRITE_TIME.as_secs() + 2 * CLOCK_SKEW.as_secs());

/// The time from the end of a minute until it is counted a second time. By then the records of
/// instances with wrong clocks exist too: the store rejects a clock that is wrong by five minutes.
pub const AUDIT_DELAY: Duration = Duration::from_mins(10);

/// The answer to a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// `failed`: the caller learns that the id was already counted.
    Refuse,
    /// `ok`, although the id is still counted once.
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

/// Settings of storing, counting and publishing ids.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the table `Uniques`.
    pub table: String,
    /// Number of shards that the ids of a minute are spread over. A partition of the table takes
    /// 1 000 writes per second.
    pub shards: u32,
    /// Limit of an instance's cache of the current minute's ids.
    pub recent_ids_max: usize,
    /// The answer to a duplicate.
    pub duplicates: Duplicates,
    /// The time for which the records of ids are kept. A minute that is closed later has lost some.
    pub retention: Duration,
    /// Name of the stream that counts are published to.
    pub stream: String,
    /// URL of the queue of callbacks.
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

/// Unique ids: accepts them, and reads their published counts.
#[derive(Debug)]
pub struct Uniques {
    store: Store,
    recent_ids: RecentIds,
    config_cache: ConfigCache,
    shards: u32,
    duplicates: Duplicates,
}

impl Uniques {
    /// Ids of the settings' table, with empty caches.
    #[must_use]
    pub fn new(client: Client, settings: &Settings) -> Self {
        Self {
            store: Store::new(client, settings),
            recent_ids: RecentIds::new(settings.recent_ids_max),
            config_cache: ConfigCache::default(),
            shards: settings.shards,
            duplicates: settings.duplicates,
        }
    }
}
