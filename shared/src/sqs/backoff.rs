//! When a message whose work failed is tried again.

use std::time::Duration;

/// The longest pause that grows by itself, before what is added at random.
pub const MAX_BACKOFF: Duration = Duration::from_hours(2);

/// The pause before the next attempt, after so many (at least 1) have failed: 10 s, 30 s, 90 s, … at most [`MAX_BACKOFF`],
/// lengthened by up to half of itself at random, so that those who failed together do not come back together.
///
/// `at_least` is a floor, such as a receiver's own `Retry-After`: it may ask for a longer pause, not for a shorter one.
#[must_use]
pub fn backoff(failed: u32, at_least: Option<Duration>, rng: &mut fastrand::Rng) -> Duration {
    let grown = 3_u64.saturating_pow(failed.saturating_sub(1)).saturating_mul(10);
    let pause = Duration::from_secs(grown).min(MAX_BACKOFF);
    let lengthened = pause + pause.mul_f64(rng.f64() / 2.0);
    lengthened.max(at_least.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pauses_grow_threefold_from_10_s_to_2_h() {
        for (failed, seconds) in [
            (0, 10),
            (1, 10),
            (2, 30),
            (3, 90),
            (4, 270),
            (5, 810),
            (6, 2_430),
            (7, 7_200),
            (8, 7_200),
            (u32::MAX, 7_200),
        ] {
            let least = Duration::from_secs(seconds);
            for seed in 0..50 {
                let pause = backoff(failed, None, &mut fastrand::Rng::with_seed(seed));
                assert!((least..=least * 3 / 2).contains(&pause), "{failed}: {pause:?}");
            }
        }
    }

    #[test]
    fn those_who_failed_together_come_back_apart() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut pauses: Vec<_> = (0..20).map(|_| backoff(7, None, &mut rng)).collect();
        pauses.sort();
        pauses.dedup();
        assert_eq!(pauses.len(), 20);
    }

    proptest! {
        #[test]
        fn the_receiver_may_ask_for_a_longer_pause_and_not_for_a_shorter_one(failed: u32, asked in 0_u64..20_000, seed: u64) {
            let asked = Duration::from_secs(asked);
            let own = backoff(failed, None, &mut fastrand::Rng::with_seed(seed));
            let both = backoff(failed, Some(asked), &mut fastrand::Rng::with_seed(seed));
            prop_assert_eq!(both, own.max(asked));
        }
    }
}
