//! A random number generator with the same numbers on every machine and in every release; the
//! output of a library's generator may change.

/// `SplitMix64` (Steele, Lea, Flood: *Fast Splittable Pseudorandom Number Generators*, 2014).
///
/// [`SplitMix64::new`] starts a separate sequence for each number of a stream, so that the
/// millionth transaction can be generated without the others.
#[derive(Debug, Clone)]
pub struct SplitMix64(u64);

/// The odd number nearest to 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl SplitMix64 {
    /// Returns the sequence of one number of a stream. The sequences of a stream all start in
    /// different states, because [`mix`] is a bijection.
    pub fn new(stream: u64, number: u64) -> Self {
        Self(mix(stream ^ number.wrapping_mul(GOLDEN)))
    }

    /// Derives the id of a stream from the values that it depends on. Other values, or the same in
    /// another order, give another stream.
    pub fn stream(values: impl IntoIterator<Item = u64>) -> u64 {
        values
            .into_iter()
            .fold(0, |stream: u64, value| mix(stream.wrapping_add(GOLDEN) ^ mix(value)))
    }

    /// Returns the next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Returns a number below `bound`, which must not be 0. Its bias is at most `bound` in 2^64.
    pub fn below(&mut self, bound: u64) -> u64 {
        let scaled = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(scaled >> 64).unwrap_or(u64::MAX)
    }

    /// Returns a number from `first` to `last`, both included.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        first.saturating_add_unsigned(self.below(last.abs_diff(first).saturating_add(1)))
    }
}

/// The output function of `SplitMix64`, a bijection.
fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        let mut random = SplitMix64(1_234_567);
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(published.map(|_| random.next_u64()), published);
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_its_bounds() {
        let mut random = SplitMix64::new(7, 0);
        let numbers: Vec<i64> = (0..1_000).map(|_| random.between(-2, 2)).collect();
        assert_eq!((numbers.iter().min(), numbers.iter().max()), (Some(&-2), Some(&2)));
        assert_eq!(random.between(5, 5), 5);
    }

    #[test]
    fn streams_differ_by_each_value_and_by_its_position() {
        let streams = [
            SplitMix64::stream([1, 2]),
            SplitMix64::stream([2, 1]),
            SplitMix64::stream([1, 3]),
            SplitMix64::stream([1, 2, 0]),
        ];
        for (index, stream) in streams.iter().enumerate() {
            assert!(!streams[..index].contains(stream));
        }
    }
}
