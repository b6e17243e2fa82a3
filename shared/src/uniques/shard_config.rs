//! The number of shards that a minute's ids are spread over, and the first counted minute.
//!
//! All instances must put an id of one minute into the same shard, or two of them would accept it.
//! The number of shards is therefore not a setting of the instance but a property of the minute,
//! stored in one item. An instance that accepts ids reads the item again every [`MAX_AGE`]; a new
//! number takes effect `LEAD_MINUTES` after it was stored, when every instance has read it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Minute, Timestamp};

/// The age at which an instance that accepts ids reads the configuration again.
pub const MAX_AGE: Duration = Duration::from_mins(5);

/// Minutes from storing a new number of shards until it takes effect: [`MAX_AGE`], and the same
/// again for clocks that differ.
const LEAD_MINUTES: i64 = 10;

/// The stored configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardConfig {
    /// At least one, oldest first.
    epochs: Vec<ShardEpoch>,
    /// The last minute that was counted a second time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audited: Option<Minute>,
}

/// A number of shards, and the first minute that it applies to. It applies until the next epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShardEpoch {
    from: Minute,
    shards: u32,
}

impl ShardConfig {
    /// The first configuration of a table, created by the first instance that accepts an id. It
    /// begins one minute before `now`, for instances whose clocks are behind.
    #[must_use]
    pub fn new(now: Timestamp, shards: u32) -> Self {
        Self { epochs: vec![ShardEpoch { from: Minute::of(now).plus(-1), shards }], audited: None }
    }

    /// The epochs, oldest first.
    #[must_use]
    pub(super) fn epochs(&self) -> &Vec<ShardEpoch> {
        &self.epochs
    }

    /// The first counted minute.
    #[must_use]
    pub fn first_minute(&self) -> Minute {
        self.epochs[0].from
    }

    /// Returns the number of shards of this minute; `None` before the first counted minute.
    #[must_use]
    pub fn shards(&self, minute: Minute) -> Option<u32> {
        self.epochs.iter().rev().find(|epoch| epoch.from <= minute).map(|epoch| epoch.shards)
    }

    /// Returns the configuration with another number of shards from `LEAD_MINUTES` after `now`
    /// on; `None` if that is the last number already.
    #[must_use]
    pub fn with_shards(&self, now: Timestamp, shards: u32) -> Option<Self> {
        let last = self.epochs.last()?;
        if last.shards == shards {
            return None;
        }
        let from = Minute::of(now).plus(LEAD_MINUTES).max(last.from.plus(1));
        let mut changed = self.clone();
        changed.epochs.push(ShardEpoch { from, shards });
        Some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Minute::of(Timestamp::from_millis(1_795_216_800_000)).plus(minute).start()
    }

    #[test]
    fn the_number_of_shards_of_a_minute_never_changes() {
        let config = ShardConfig::new(at(0), 256);
        let changed = config.with_shards(at(100), 512).expect("another number");
        let changed = changed.with_shards(at(103), 128).expect("another number");
        for (minute, shards) in [
            (-2, None),
            (-1, Some(256)),
            (0, Some(256)),
            (109, Some(256)),
            (110, Some(512)),
            (113, Some(128)),
        ] {
            assert_eq!(changed.shards(Minute::of(at(minute))), shards, "{minute}");
        }
        assert_eq!(changed.first_minute(), config.first_minute());
    }

    #[test]
    fn the_same_number_changes_nothing() {
        let config = ShardConfig::new(at(0), 256);
        assert_eq!(config.with_shards(at(5), 256), None);
        let changed = config.with_shards(at(5), 64).expect("another number");
        assert_eq!(changed.with_shards(at(6), 64), None);
    }

    #[test]
    fn an_instance_knows_the_shards_of_a_minute_before_the_minute_begins() {
        let config = ShardConfig::new(at(0), 256);
        let changed = config.with_shards(at(100), 512).expect("another number");
        // If it is read just before the change, the old item is used until it is read again, with
        // clocks up to four minutes apart.
        let read_again = at(100).plus(MAX_AGE).plus(Duration::from_mins(4));
        for minute in 100..=109 {
            let minute = Minute::of(at(minute));
            assert!(minute.start() <= read_again);
            assert_eq!(config.shards(minute), changed.shards(minute));
        }
    }
}
