//! What an instance remembers, so that it need not ask: products, which never change, and for a moment that one is sold out.

use std::{collections::HashMap, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::product::Definition;

/// Products that an instance remembers at most. A full memory starts over: cheaper than knowing which was used last.
const CAPACITY: usize = 10_000;

/// The memory of one instance.
#[derive(Debug)]
pub struct Cache {
    sold_out_for: Duration,
    definitions: Mutex<HashMap<u32, Definition>>,
    sold_out: Mutex<HashMap<u32, SoldOut>>,
}

#[derive(Debug)]
struct SoldOut {
    /// Units that were left: too few for the order that was refused, perhaps enough for a smaller one.
    left: u64,
    until: Instant,
}

impl Cache {
    /// An empty memory that forgets that a product is sold out after `sold_out_for`.
    #[must_use]
    pub fn new(sold_out_for: Duration) -> Self {
        Self { sold_out_for, definitions: Mutex::default(), sold_out: Mutex::default() }
    }

    /// The product, if it was seen.
    #[must_use]
    pub fn definition(&self, product: u32) -> Option<Definition> {
        self.definitions.lock().get(&product).cloned()
    }

    /// Remembers a product.
    pub fn learn(&self, definition: &Definition) {
        room(self.definitions.lock()).insert(definition.id, definition.clone());
    }

    /// An order of so many units need not be tried: a moment ago there were too few.
    #[must_use]
    pub fn is_sold_out(&self, product: u32, quantity: u32) -> bool {
        let mut sold_out = self.sold_out.lock();
        match sold_out.get(&product) {
            Some(seen) if Instant::now() < seen.until => seen.left < u64::from(quantity),
            Some(_) => {
                sold_out.remove(&product);
                false
            }
            None => false,
        }
    }

    /// Remembers that only so many units are left.
    pub fn sold_out(&self, product: u32, left: u64) {
        if !self.sold_out_for.is_zero() {
            let until = Instant::now() + self.sold_out_for;
            room(self.sold_out.lock()).insert(product, SoldOut { left, until });
        }
    }
}

fn room<T>(mut map: MutexGuard<'_, HashMap<u32, T>>) -> MutexGuard<'_, HashMap<u32, T>> {
    if map.len() >= CAPACITY {
        map.clear();
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sold_out_is_remembered_for_a_moment_and_only_for_orders_that_are_too_large() {
        let cache = Cache::new(Duration::from_secs(1));
        cache.sold_out(1, 2);
        assert!(cache.is_sold_out(1, 3));
        assert!(!cache.is_sold_out(1, 2) && !cache.is_sold_out(2, 3));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!cache.is_sold_out(1, 3));
    }

    #[tokio::test]
    async fn nothing_is_remembered_where_the_setting_is_zero() {
        let cache = Cache::new(Duration::ZERO);
        cache.sold_out(1, 0);
        assert!(!cache.is_sold_out(1, 1));
    }

    #[test]
    fn the_memory_is_bounded() {
        let cache = Cache::new(Duration::from_mins(1));
        for product in 0..50_000 {
            cache.sold_out(product, 0);
        }
        assert!(cache.sold_out.lock().len() <= CAPACITY);
    }
}
