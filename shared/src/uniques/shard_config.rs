//! Since when ids are counted, and over how many shards those of a minute are spread.
//!
//! All instances must put an id of one minute into the same shard, or two of them would accept it. So the number of shards is not
//! an instance's own setting but a property of the minute, stored in one item. Who accepts reads the item again every
//! [`REREAD`]; a new number holds from [`LEAD`] after it was stored, when everybody has read it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Minute, Timestamp};

/// How old the knowledge of the item may get in an instance that accepts.
pub const REREAD: Duration = Duration::from_mins(5);

/// Minutes from storing a new number of shards until it holds: [`REREAD`], and as much again for clocks that differ.
const LEAD: i64 = 10;

/// The item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardConfig {
    /// By minute, at least one.
    spreads: Vec<ShardEpoch>,
    /// The last minute that was counted a second time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audited: Option<Minute>,
}

/// So many shards from this minute on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShardEpoch {
    from: Minute,
    shards: u32,
}

impl ShardConfig {
    /// Of an instance that is the first to accept anything, at this moment: since the minute before, for the sake of others
    /// whose clocks are behind.
    #[must_use]
    pub fn beginning(now: Timestamp, shards: u32) -> Self {
        Self { spreads: vec![ShardEpoch { from: Minute::of(now).plus(-1), shards }], audited: None }
    }

    /// How the ids are spread, by minute.
    #[must_use]
    pub(super) fn spreads(&self) -> &Vec<ShardEpoch> {
        &self.spreads
    }

    /// The first minute that is counted.
    #[must_use]
    pub fn since(&self) -> Minute {
        self.spreads[0].from
    }

    /// Over how many shards the ids of this minute are spread; `None` before the first minute that is counted.
    #[must_use]
    pub fn shards(&self, minute: Minute) -> Option<u32> {
        self.spreads.iter().rev().find(|spread| spread.from <= minute).map(|spread| spread.shards)
    }

    /// The same with another number of shards for the minutes to come; `None` if it is the number already.
    #[must_use]
    pub fn respread(&self, now: Timestamp, shards: u32) -> Option<Self> {
        let last = self.spreads.last()?;
        if last.shards == shards {
            return None;
        }
        let from = Minute::of(now).plus(LEAD).max(last.from.plus(1));
        let mut changed = self.clone();
        changed.spreads.push(ShardEpoch { from, shards });
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
    fn a_minute_keeps_its_number_of_shards_forever() {
        let counting = ShardConfig::beginning(at(0), 256);
        let changed = counting.respread(at(100), 512).expect("another number");
        let changed = changed.respread(at(103), 128).expect("another number");
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
        assert_eq!(changed.since(), counting.since());
    }

    #[test]
    fn the_same_number_changes_nothing() {
        let counting = ShardConfig::beginning(at(0), 256);
        assert_eq!(counting.respread(at(5), 256), None);
        let changed = counting.respread(at(5), 64).expect("another number");
        assert_eq!(changed.respread(at(6), 64), None);
    }

    #[test]
    fn whoever_knows_the_item_knows_a_minutes_shards_before_the_minute_comes() {
        let counting = ShardConfig::beginning(at(0), 256);
        let changed = counting.respread(at(100), 512).expect("another number");
        // Read right before the change, the old item serves until it is read again, with clocks up to four minutes apart.
        let reread = at(100).plus(REREAD).plus(Duration::from_mins(4));
        for minute in 100..=109 {
            let minute = Minute::of(at(minute));
            assert!(minute.start() <= reread);
            assert_eq!(counting.shards(minute), changed.shards(minute));
        }
    }
}
