//! Arithmetic of stock lanes, pure.
//!
//! The store runs one transaction at a time on an item, so a product whose stock is one item sells
//! some forty orders a second. The stock is therefore split over lanes, each an item of its own. An
//! order withdraws from one lane if one has enough, otherwise from several in one transaction. The
//! stock is the sum of the lanes and is stored nowhere else.

use serde::{Deserialize, Serialize};

/// The default number of lanes, chosen by the measurements in `docs/LANES.md`.
pub const DEFAULT_LANES: u32 = 16;

/// The largest number of lanes: an order that needs all of them still fits a transaction of 100
/// items.
pub const MAX_LANES: u32 = 32;

/// The stock of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The lane's number.
    pub lane: u16,
    /// The units that are left in it.
    pub units: u64,
}

/// Units that are withdrawn from one lane, or deposited into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The lane's number.
    pub lane: u16,
    /// The number of units, at least one.
    pub units: u32,
}

/// Returns the units of all lanes.
#[must_use]
pub fn sum(levels: &[Level]) -> u64 {
    levels.iter().map(|level| level.units).sum()
}

/// Splits `units` as evenly as possible over `spread` of the `lanes`, from lane `start` on; the
/// first ones get the remainder. Lanes that get none are omitted.
#[must_use]
pub fn split(units: u32, lanes: u16, start: u16, spread: u16) -> Vec<Share> {
    let spread = spread.clamp(1, lanes);
    let (each, remainder) = (units / u32::from(spread), units % u32::from(spread));
    (0..spread)
        .map(|position| Share {
            lane: (start % lanes + position) % lanes,
            units: each + u32::from(u32::from(position) < remainder),
        })
        .filter(|share| share.units > 0)
        .collect()
}

/// Chooses the lanes to withdraw `units` from: the first lane from `start` on that has enough,
/// otherwise the fullest lanes, as few as possible, since every further lane is one more chance of
/// a conflict. `None`: all lanes together have too few.
#[must_use]
pub fn withdraw(levels: &[Level], units: u32, start: u16) -> Option<Vec<Share>> {
    let start = usize::from(start).checked_rem(levels.len())?;
    let (before, after) = levels.split_at(start);
    if let Some(level) = after.iter().chain(before).find(|level| level.units >= u64::from(units)) {
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
    fn a_lane_that_has_enough_is_used_alone() {
        let shares = withdraw(&levels(&[0, 2, 9, 5]), 5, 3).expect("enough");
        assert_eq!(shares, [Share { lane: 3, units: 5 }]);
    }

    #[test]
    fn the_fullest_lanes_are_used_together_if_none_has_enough() {
        let shares = withdraw(&levels(&[1, 2, 0, 3]), 5, 0).expect("enough");
        assert_eq!(shares, [Share { lane: 3, units: 3 }, Share { lane: 1, units: 2 }]);
    }

    #[test]
    fn nothing_is_withdrawn_if_the_sum_is_short() {
        assert_eq!(withdraw(&levels(&[1, 1, 1]), 4, 1), None);
        assert_eq!(withdraw(&[], 1, 0), None);
    }

    proptest! {
        #[test]
        fn a_split_assigns_every_unit_to_exactly_one_lane(
            units in 0_u32..2_000, lanes in 1_u16..=32, start: u16, spread in 0_u16..40,
        ) {
            let shares = split(units, lanes, start, spread);
            prop_assert!(shares.len() <= usize::from(spread.max(1)));
            let units_per_lane: Vec<u32> = shares.iter().map(|share| share.units).collect();
            prop_assert_eq!(units_per_lane.iter().sum::<u32>(), units);
            let (most, least) = (units_per_lane.iter().max(), units_per_lane.iter().min());
            prop_assert!(most.zip(least).is_none_or(|(most, least)| most - least <= 1));
            let mut lanes_used: Vec<u16> = shares.iter().map(|share| share.lane).collect();
            lanes_used.sort_unstable();
            lanes_used.dedup();
            prop_assert_eq!(lanes_used.len(), shares.len());
            prop_assert!(lanes_used.iter().all(|&lane| lane < lanes));
        }

        #[test]
        fn a_withdrawal_succeeds_exactly_if_the_sum_suffices(
            units in prop::collection::vec(0_u64..20, 1..32), quantity in 1_u32..200, start: u16,
        ) {
            let levels = levels(&units);
            match withdraw(&levels, quantity, start) {
                None => prop_assert!(sum(&levels) < u64::from(quantity)),
                Some(shares) => {
                    prop_assert_eq!(shares.iter().map(|share| share.units).sum::<u32>(), quantity);
                    for share in shares {
                        let available = units[usize::from(share.lane)];
                        prop_assert!(share.units > 0 && u64::from(share.units) <= available);
                    }
                }
            }
        }
    }
}
