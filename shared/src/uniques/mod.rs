//! Uniques: **an id is counted once a minute**, over all instances, and each minute's exact count is published once.
//!
//! The record that finds duplicates is the count: accepting an id is one put with the condition that the minute does not have
//! it, and a minute's count is how many records it has. Nothing else is written for an id, so nothing can drift, and
//! no counter is hot. [`Closing`] counts a minute when no request of it can still be under way, and publishes the
//! number: to the stream, to the table, to the log.
//!
//! Not covered: an id whose put was recorded while every reply was lost. It is answered `failed`, counted, and a duplicate
//! when it comes again in its minute. `docs/UNIQUES.md` has the argument why the count is exact.

mod accept;
mod audit;
mod callbacks;
mod close;
mod counting;
mod counts;
mod id;
mod seen;
mod store;
mod stream;

use std::{str::FromStr, time::Duration};

use aws_sdk_dynamodb::Client;

use self::{accept::Known, seen::Seen, store::Store};

pub use accept::{AcceptError, Accepted, Arrival, Verdict};
pub use callbacks::{Callbacks, Failure, Message};
pub use close::{Closed, Closing};
pub use counting::Counting;
pub use counts::{Count, Counts, DEFAULT_LIMIT, Limit};
pub use id::{UnfitId, UniqueId};
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
    pub seen_limit: usize,
    /// What a duplicate is answered.
    pub duplicates: Duplicates,
    /// How long the records of ids are kept; a minute that is closed later has lost some.
    pub retention: Duration,
    /// The stream that counts are published to.
    pub stream: String,
    /// The URL of the queue of callbacks.
    pub queue_url: String,
}

/// Ids and their counts, as far as callers see them.
#[derive(Debug)]
pub struct Uniques {
    store: Store,
    seen: Seen,
    known: Known,
    shards: u32,
    duplicates: Duplicates,
}

impl Uniques {
    /// Ids in this table, with an empty memory.
    #[must_use]
    pub fn new(client: Client, settings: &Settings) -> Self {
        Self {
            store: Store::new(client, settings),
            seen: Seen::new(settings.seen_limit),
            known: Known::default(),
            shards: settings.shards,
            duplicates: settings.duplicates,
        }
    }
}
