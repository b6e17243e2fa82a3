//! An instance's cache of the current minute's ids, so that a duplicate costs no call.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::UniqueId;
use crate::time::Minute;

/// Ids that are recorded in the newest minute that this instance has received a request in.
///
/// A cached id is a duplicate for the rest of its minute, so the cache saves calls and never
/// changes an answer. Once it holds `limit` ids it adds no more until the next minute: duplicates
/// of ids that it does not hold then cost a call each. Its allocation is kept and reused.
#[derive(Debug)]
pub struct RecentIds {
    limit: usize,
    current: Mutex<MinuteIds>,
}

#[derive(Debug, Default)]
struct MinuteIds {
    minute: Option<Minute>,
    ids: HashSet<UniqueId>,
}

impl RecentIds {
    /// An empty cache of at most `limit` ids.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, current: Mutex::default() }
    }

    /// Returns whether the id is known to be recorded in this minute.
    #[must_use]
    pub fn contains(&self, minute: Minute, id: UniqueId) -> bool {
        let current = self.current.lock();
        current.minute == Some(minute) && current.ids.contains(&id)
    }

    /// Adds an id that is recorded in this minute. A newer minute replaces the cached one; an id of
    /// an older minute is not added.
    pub fn insert(&self, minute: Minute, id: UniqueId) {
        let mut current = self.current.lock();
        if current.minute < Some(minute) {
            current.ids.clear();
            current.minute = Some(minute);
        }
        if current.minute == Some(minute) && current.ids.len() < self.limit {
            current.ids.insert(id);
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
    fn a_newer_minute_clears_the_cache() {
        let recent_ids = RecentIds::new(10);
        recent_ids.insert(minute(0), 1.into());
        assert!(recent_ids.contains(minute(0), 1.into()));
        assert!(!recent_ids.contains(minute(1), 1.into()));
        recent_ids.insert(minute(1), 2.into());
        assert!(!recent_ids.contains(minute(0), 1.into()));
        assert!(!recent_ids.contains(minute(1), 1.into()));
        assert!(recent_ids.contains(minute(1), 2.into()));
    }

    #[test]
    fn an_id_of_an_older_minute_is_not_added() {
        let recent_ids = RecentIds::new(10);
        recent_ids.insert(minute(1), 1.into());
        recent_ids.insert(minute(0), 2.into());
        assert!(!recent_ids.contains(minute(0), 2.into()));
        assert!(!recent_ids.contains(minute(1), 2.into()));
        assert!(recent_ids.contains(minute(1), 1.into()));
    }

    #[test]
    fn the_cache_holds_at_most_its_limit_and_reuses_its_allocation() {
        let recent_ids = RecentIds::new(1_000);
        let mut capacity = 0;
        for n in 0..10 {
            for id in 0..5_000 {
                recent_ids.insert(minute(n), id.into());
            }
            let current = recent_ids.current.lock();
            assert_eq!(current.ids.len(), 1_000);
            capacity = capacity.max(current.ids.capacity());
        }
        assert_eq!(recent_ids.current.lock().ids.capacity(), capacity);
        assert!(capacity < 2_000, "{capacity}");
        assert!(recent_ids.contains(minute(9), 999.into()));
        assert!(!recent_ids.contains(minute(9), 1_000.into()));
    }

    #[test]
    fn a_limit_of_zero_caches_nothing() {
        let recent_ids = RecentIds::new(0);
        recent_ids.insert(minute(0), 1.into());
        assert!(!recent_ids.contains(minute(0), 1.into()));
    }
}
