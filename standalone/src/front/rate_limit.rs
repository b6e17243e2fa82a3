//! The rate limits of routes: a token bucket each.

use std::time::Instant;

use once::routes::RateClass;

/// The rates of all classes.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Of routes without their own.
    pub default: Rate,
    /// Of [`RateClass::Accept`].
    pub accept: Rate,
    /// Of [`RateClass::Orders`].
    pub orders: Rate,
}

/// How many requests a route takes; excess requests are answered 429.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Requests per second, on average.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

impl Rates {
    pub(super) fn of(&self, class: RateClass) -> Rate {
        match class {
            RateClass::Default => self.default,
            RateClass::Accept => self.accept,
            RateClass::Orders => self.orders,
        }
    }
}

/// A bucket of `burst` tokens, refilled with `per_second`. A request takes one.
#[derive(Debug)]
pub(super) struct TokenBucket {
    rate: Rate,
    tokens: f64,
    refilled_at: Instant,
}

impl TokenBucket {
    /// Creates a full bucket.
    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, tokens: f64::from(rate.burst), refilled_at: now }
    }

    /// Takes a token; returns whether there was one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.refilled_at).as_secs_f64();
        let refilled = self.tokens + elapsed * f64::from(self.rate.per_second);
        self.tokens = refilled.min(f64::from(self.rate.burst));
        self.refilled_at = self.refilled_at.max(now);
        let has_token = self.tokens >= 1.0;
        if has_token {
            self.tokens -= 1.0;
        }
        has_token
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Takes tokens until there is none, and returns their number.
    fn drain(bucket: &mut TokenBucket, now: Instant) -> usize {
        (0..1_000).take_while(|_| bucket.take(now)).count()
    }

    #[test]
    fn a_bucket_holds_its_burst_and_refills_at_its_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Rate { per_second: 10, burst: 5 }, start);
        assert_eq!(drain(&mut bucket, start), 5);
        assert_eq!(drain(&mut bucket, start + Duration::from_millis(99)), 0);
        assert_eq!(drain(&mut bucket, start + Duration::from_millis(301)), 3);
        assert_eq!(drain(&mut bucket, start + Duration::from_hours(1)), 5, "never above the burst");
    }

    #[test]
    fn a_clock_that_another_thread_read_earlier_refills_nothing_twice() {
        let start = Instant::now();
        let second = start + Duration::from_secs(1);
        let mut bucket = TokenBucket::new(Rate { per_second: 1, burst: 1 }, start);
        assert!(bucket.take(second));
        assert!(!bucket.take(start));
        assert!(!bucket.take(second));
    }
}
