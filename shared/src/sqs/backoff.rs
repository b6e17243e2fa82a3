//! When a message is retried after a failure.

use std::time::Duration;

/// The longest backoff, before jitter.
pub const MAX_BACKOFF: Duration = Duration::from_hours(2);

/// Returns the delay before the next attempt, after `failed` attempts (at least 1): 10 s, 30 s, 90
/// s, … at most [`MAX_BACKOFF`], lengthened by up to half of itself at random, so that messages
/// that failed together are not retried together.
///
/// `at_least` is a lower bound, such as a receiver's `Retry-After`: it can lengthen the delay but
/// not shorten it.
#[must_use]
pub fn backoff(failed: u32, at_least: Option<Duration>, rng: &mut fastrand::Rng) -> Duration {
    let seconds = 3_u64.saturating_pow(failed.saturating_sub(1)).saturating_mul(10);
    let delay = Duration::from_secs(seconds).min(MAX_BACKOFF);
    let with_jitter = delay + delay.mul_f64(rng.f64() / 2.0);
    with_jitter.max(at_least.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn delays_grow_threefold_from_10_s_to_2_h() {
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
                let delay = backoff(failed, None, &mut fastrand::Rng::with_seed(seed));
                assert!((least..=least * 3 / 2).contains(&delay), "{failed}: {delay:?}");
            }
        }
    }

    #[test]
    fn messages_that_failed_together_are_retried_apart() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut delays: Vec<_> = (0..20).map(|_| backoff(7, None, &mut rng)).collect();
        delays.sort();
        delays.dedup();
        assert_eq!(delays.len(), 20);
    }

    proptest! {
        #[test]
        fn a_receiver_can_lengthen_the_delay_but_not_shorten_it(
            failed: u32,
            requested in 0_u64..20_000,
            seed: u64,
        ) {
            let requested = Duration::from_secs(requested);
            let own = backoff(failed, None, &mut fastrand::Rng::with_seed(seed));
            let both = backoff(failed, Some(requested), &mut fastrand::Rng::with_seed(seed));
            prop_assert_eq!(both, own.max(requested));
        }
    }
}
