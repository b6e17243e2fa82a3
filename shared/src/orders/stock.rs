//! Stock lanes, pure.
//!
//! The store runs one transaction at a time on one item, so a product whose stock is one number sells some forty units a
//! second. Its stock is therefore split over lanes, each an item of its own: an order takes from one lane where one has
//! enough, and from several at once where none has. The sum of the lanes is the stock; nothing else counts it.

use serde::{Deserialize, Serialize};

/// Lanes of a product that asks for no number of its own. Chosen from the measured table in `docs/LANES.md`.
pub const DEFAULT_LANES: u32 = 16;

/// Most lanes of a product: an order that needs them all still fits a transaction of 100 items.
pub const MAX_LANES: u32 = 32;

/// Units in one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Its number.
    pub lane: u16,
    /// Units left in it.
    pub units: u64,
}

/// Units that a change takes from one lane, or puts into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The lane's number.
    pub lane: u16,
    /// How many units, at least one.
    pub units: u32,
}

/// Units left over all lanes.
#[must_use]
pub fn sum(levels: &[Level]) -> u64 {
    levels.iter().map(|level| level.units).sum()
}

/// Splits `units` over `spread` of the `lanes` as evenly as can be, from lane `start` on, the odd ones to the first. Lanes that
/// get none are left out.
#[must_use]
pub fn split(units: u32, lanes: u16, start: u16, spread: u16) -> Vec<Share> {
    let spread = spread.clamp(1, lanes);
    let (each, odd) = (units / u32::from(spread), units % u32::from(spread));
    (0..spread)
        .map(|position| Share {
            lane: (start % lanes + position) % lanes,
            units: each + u32::from(u32::from(position) < odd),
        })
        .filter(|share| share.units > 0)
        .collect()
}

/// From which lanes to take `units`: the first lane from `start` on that has enough, else from the fullest lanes on, as few as
/// possible, since every further lane is one more chance to collide. `None`: there are not so many left.
#[must_use]
pub fn take(levels: &[Level], units: u32, start: u16) -> Option<Vec<Share>> {
    let turn = usize::from(start).checked_rem(levels.len())?;
    let (before, from) = levels.split_at(turn);
    if let Some(level) = from.iter().chain(before).find(|level| level.units >= u64::from(units)) {
        return Some(vec![Share { lane: level.lane, units }]);
    }
    let mut fullest = levels.to_vec();
    fullest.sort_by_key(|level| std::cmp::Reverse(level.units));
    let mut missing = units;
    let mut shares = Vec::new();
    for level in fullest {
        let units = u32::try_from(level.units).unwrap_or(u32::MAX).min(missing);
        if units > 0 {
            shares.push(Share { lane: level.lane, units });
            missing -= units;
        }
    }
    (missing == 0).then_some(shares)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn levels(units: &[u64]) -> Vec<Level> {
        (0..).zip(units).map(|(lane, &units)| Level { lane, units }).collect()
    }

    #[test]
    fn one_lane_that_has_enough_serves_alone() {
        let taken = take(&levels(&[0, 2, 9, 5]), 5, 3).expect("enough");
        assert_eq!(taken, [Share { lane: 3, units: 5 }]);
    }

    #[test]
    fn the_fullest_lanes_serve_together_where_none_has_enough() {
        let taken = take(&levels(&[1, 2, 0, 3]), 5, 0).expect("enough");
        assert_eq!(taken, [Share { lane: 3, units: 3 }, Share { lane: 1, units: 2 }]);
    }

    #[test]
    fn there_is_nothing_to_take_where_the_sum_is_short() {
        assert_eq!(take(&levels(&[1, 1, 1]), 4, 1), None);
        assert_eq!(take(&[], 1, 0), None);
    }

    proptest! {
        #[test]
        fn a_split_gives_every_unit_to_exactly_one_lane(
            units in 0_u32..2_000, lanes in 1_u16..=32, start: u16, spread in 0_u16..40,
        ) {
            let shares = split(units, lanes, start, spread);
            prop_assert!(shares.len() <= usize::from(spread.max(1)));
            let given: Vec<u32> = shares.iter().map(|share| share.units).collect();
            prop_assert_eq!(given.iter().sum::<u32>(), units);
            let (most, least) = (given.iter().max(), given.iter().min());
            prop_assert!(most.zip(least).is_none_or(|(most, least)| most - least <= 1));
            let mut lanes_hit: Vec<u16> = shares.iter().map(|share| share.lane).collect();
            lanes_hit.sort_unstable();
            lanes_hit.dedup();
            prop_assert_eq!(lanes_hit.len(), shares.len());
            prop_assert!(lanes_hit.iter().all(|&lane| lane < lanes));
        }

        #[test]
        fn taking_succeeds_exactly_if_the_sum_suffices(
            units in prop::collection::vec(0_u64..20, 1..32), wanted in 1_u32..200, start: u16,
        ) {
            let levels = levels(&units);
            match take(&levels, wanted, start) {
                None => prop_assert!(sum(&levels) < u64::from(wanted)),
                Some(shares) => {
                    prop_assert_eq!(shares.iter().map(|share| share.units).sum::<u32>(), wanted);
                    for share in shares {
                        prop_assert!(share.units > 0 && u64::from(share.units) <= units[usize::from(share.lane)]);
                    }
                }
            }
        }
    }
}
