//! What an instance remembers of the current minute, so that a duplicate costs no call.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::UniqueId;
use crate::time::Minute;

/// Ids that are recorded in the newest minute that this instance has seen.
///
/// An id in here is a duplicate for the rest of its minute, so the memory can only save calls, never change an answer. Past its
/// limit it learns nothing more until the minute turns: duplicates of what it does not know then cost a call each. The
/// room that it has once taken is kept and used again.
#[derive(Debug)]
pub struct RecentIds {
    limit: usize,
    ids: Mutex<Ids>,
}

#[derive(Debug, Default)]
struct Ids {
    minute: Option<Minute>,
    known: HashSet<UniqueId>,
}

impl RecentIds {
    /// An empty memory for so many ids at most.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, ids: Mutex::default() }
    }

    /// The id is known to be recorded in this minute.
    #[must_use]
    pub fn knows(&self, minute: Minute, id: UniqueId) -> bool {
        let ids = self.ids.lock();
        ids.minute == Some(minute) && ids.known.contains(&id)
    }

    /// The id is recorded in this minute. A newer minute takes the place of the one before; of an older one nothing is kept.
    pub fn learn(&self, minute: Minute, id: UniqueId) {
        let mut ids = self.ids.lock();
        if ids.minute < Some(minute) {
            ids.known.clear();
            ids.minute = Some(minute);
        }
        if ids.minute == Some(minute) && ids.known.len() < self.limit {
            ids.known.insert(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn minute(n: i64) -> Minute {
        Minute::of(Timestamp::from_millis(1_795_216_800_000)).plus(n)
    }

    #[test]
    fn the_minutes_turn_forgets_everything() {
        let seen = RecentIds::new(10);
        seen.learn(minute(0), 1.into());
        assert!(seen.knows(minute(0), 1.into()) && !seen.knows(minute(1), 1.into()));
        seen.learn(minute(1), 2.into());
        assert!(!seen.knows(minute(0), 1.into()) && !seen.knows(minute(1), 1.into()));
        assert!(seen.knows(minute(1), 2.into()));
    }

    #[test]
    fn an_id_that_comes_from_the_minute_before_is_not_mixed_into_the_new_one() {
        let seen = RecentIds::new(10);
        seen.learn(minute(1), 1.into());
        seen.learn(minute(0), 2.into());
        assert!(!seen.knows(minute(0), 2.into()) && !seen.knows(minute(1), 2.into()));
        assert!(seen.knows(minute(1), 1.into()));
    }

    #[test]
    fn the_memory_never_holds_more_than_its_limit_nor_takes_more_room() {
        let seen = RecentIds::new(1_000);
        let mut room = 0;
        for turn in 0..10 {
            for id in 0..5_000 {
                seen.learn(minute(turn), id.into());
            }
            let ids = seen.ids.lock();
            assert_eq!(ids.known.len(), 1_000);
            room = room.max(ids.known.capacity());
        }
        assert_eq!(seen.ids.lock().known.capacity(), room);
        assert!(room < 2_000, "{room}");
        assert!(seen.knows(minute(9), 999.into()) && !seen.knows(minute(9), 1_000.into()));
    }

    #[test]
    fn a_limit_of_zero_remembers_nothing() {
        let seen = RecentIds::new(0);
        seen.learn(minute(0), 1.into());
        assert!(!seen.knows(minute(0), 1.into()));
    }
}
