//! The cache of an instance: products, which never change, and for a moment which are sold out.

use std::{collections::HashMap, time::Duration};

use super::product::Definition;
use crate::time::Timestamp;
use parking_lot::{Mutex, MutexGuard};

/// The largest number of products in a map. A full map is cleared, which is cheaper than tracking
/// which product was used last.
const CAPACITY: usize = 10_000;

/// The cache of one instance.
#[derive(Debug)]
pub struct Cache {
    sold_out_ttl: Duration,
    definitions: Mutex<HashMap<u32, Definition>>,
    sold_out: Mutex<HashMap<u32, SoldOut>>,
}

#[derive(Debug)]
struct SoldOut {
    /// The units that were left: too few for the refused order, but maybe enough for a smaller one.
    left: u64,
    seen_at: Timestamp,
}

impl Cache {
    /// Creates an empty cache. It keeps a product as sold out for `sold_out_ttl`.
    #[must_use]
    pub fn new(sold_out_ttl: Duration) -> Self {
        Self { sold_out_ttl, definitions: Mutex::default(), sold_out: Mutex::default() }
    }

    /// Returns the product, if it is cached.
    #[must_use]
    pub fn definition(&self, product: u32) -> Option<Definition> {
        self.definitions.lock().get(&product).cloned()
    }

    /// Caches a product.
    pub fn insert(&self, definition: &Definition) {
        lock_with_room(&self.definitions).insert(definition.id, definition.clone());
    }

    /// Returns whether an order of `quantity` is too large for the units that were left a moment
    /// ago.
    #[must_use]
    pub fn is_sold_out(&self, product: u32, quantity: u32, now: Timestamp) -> bool {
        let mut sold_out = self.sold_out.lock();
        match sold_out.get(&product) {
            // An entry of the future is from before the clock was set back.
            Some(&SoldOut { left, seen_at })
                if seen_at <= now && now < seen_at.plus(self.sold_out_ttl) =>
            {
                left < u64::from(quantity)
            }
            Some(_) => {
                sold_out.remove(&product);
                false
            }
            None => false,
        }
    }

    /// Caches that a product has only `left` units.
    pub fn insert_sold_out(&self, product: u32, left: u64, seen_at: Timestamp) {
        if !self.sold_out_ttl.is_zero() {
            lock_with_room(&self.sold_out).insert(product, SoldOut { left, seen_at });
        }
    }
}

fn lock_with_room<T>(map: &Mutex<HashMap<u32, T>>) -> MutexGuard<'_, HashMap<u32, T>> {
    let mut map = map.lock();
    if map.len() >= CAPACITY {
        map.clear();
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_216_800_000;

    fn time(millis: i64) -> Timestamp {
        Timestamp::from_millis(NOW + millis)
    }

    #[test]
    fn sold_out_is_cached_for_its_ttl_and_only_for_orders_that_are_too_large() {
        let cache = Cache::new(Duration::from_secs(1));
        cache.insert_sold_out(1, 2, time(0));
        assert!(cache.is_sold_out(1, 3, time(999)));
        assert!(!cache.is_sold_out(1, 2, time(0)) && !cache.is_sold_out(2, 3, time(0)));
        assert!(!cache.is_sold_out(1, 3, time(1_000)));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_no_product_sold_out() {
        let cache = Cache::new(Duration::from_secs(1));
        cache.insert_sold_out(1, 0, time(0));
        assert!(!cache.is_sold_out(1, 1, time(-3_600_000)));
        assert!(!cache.is_sold_out(1, 1, time(0)));
    }

    #[test]
    fn with_a_ttl_of_zero_nothing_is_cached_as_sold_out() {
        let cache = Cache::new(Duration::ZERO);
        cache.insert_sold_out(1, 0, time(0));
        assert!(!cache.is_sold_out(1, 1, time(0)));
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::new(Duration::from_mins(1));
        for product in 0..50_000 {
            cache.insert_sold_out(product, 0, time(0));
        }
        assert!(cache.sold_out.lock().len() <= CAPACITY);
    }
}
