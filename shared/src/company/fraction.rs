//! Exact quotients.

use serde::{Deserialize, Serialize};

/// A quotient in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fraction {
    numerator: i64,
    denominator: i64,
}

impl Fraction {
    /// Returns `numerator ÷ denominator` in lowest terms; `None` if the denominator is zero or the
    /// result overflows.
    #[must_use]
    pub fn new(numerator: i64, denominator: i64) -> Option<Self> {
        let divisor =
            i64::try_from(gcd(numerator.unsigned_abs(), denominator.unsigned_abs())).ok()?;
        let divisor = if denominator < 0 { -divisor } else { divisor };
        let (numerator, denominator) =
            (numerator.checked_div(divisor)?, denominator.checked_div(divisor)?);
        (denominator > 0).then_some(Self { numerator, denominator })
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_fraction_is_the_quotient_in_lowest_terms(numerator: i32, denominator: i32) {
            let (numerator, denominator) = (i64::from(numerator), i64::from(denominator));
            match Fraction::new(numerator, denominator) {
                None => prop_assert_eq!(denominator, 0),
                Some(fraction) => {
                    let Fraction { numerator: n, denominator: d } = fraction;
                    prop_assert!(d > 0);
                    prop_assert_eq!(n * denominator, numerator * d);
                    prop_assert_eq!(gcd(n.unsigned_abs(), d.unsigned_abs()), 1);
                }
            }
        }

        #[test]
        fn a_fraction_never_panics(numerator: i64, denominator: i64) {
            let fraction = Fraction::new(numerator, denominator);
            prop_assert!(fraction.is_none_or(|fraction| fraction.denominator > 0));
        }
    }
}
