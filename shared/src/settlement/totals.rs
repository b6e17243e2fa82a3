//! [`Totals`]: sums of transactions, in cents. Pure arithmetic, without AWS or a clock.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ledger::{Payment, TooLarge};

/// Sum of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Cents that buyers paid.
    #[serde(rename = "gross_cents")]
    pub gross: i64,
    /// Cents of it that merchants pay as fees.
    #[serde(rename = "fee_cents")]
    pub fee: i64,
    /// Cents that merchants receive.
    #[serde(rename = "net_cents")]
    pub net: i64,
    /// Transactions, including reversals.
    #[serde(rename = "txn_count")]
    pub count: u64,
}

impl Totals {
    /// Sum of no transactions.
    pub const ZERO: Self = Self { gross: 0, fee: 0, net: 0, count: 0 };

    /// Returns the sum of both.
    pub fn plus(self, other: Self) -> Result<Self, TooLarge> {
        Ok(Self {
            gross: self.gross.checked_add(other.gross).ok_or(TooLarge)?,
            fee: self.fee.checked_add(other.fee).ok_or(TooLarge)?,
            net: self.net.checked_add(other.net).ok_or(TooLarge)?,
            count: self.count.checked_add(other.count).ok_or(TooLarge)?,
        })
    }

    /// Returns whether net = gross − fee.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.gross.checked_sub(self.fee) == Some(self.net)
    }
}

impl From<Payment<'_>> for Totals {
    fn from(payment: Payment<'_>) -> Self {
        Self {
            gross: payment.gross_cents,
            fee: payment.fee_cents,
            net: payment.net_cents,
            count: 1,
        }
    }
}

/// Sum of one merchant's transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub merchant: String,
    pub totals: Totals,
}

/// Sums transactions by merchant. They must be in the order of the ledger, in which all
/// transactions of a merchant follow each other.
#[derive(Debug, Default)]
pub struct Accumulator {
    rows: Vec<Row>,
}

impl Accumulator {
    /// Adds a transaction.
    pub fn add(&mut self, merchant: &str, transaction: Totals) -> Result<(), TooLarge> {
        match self.rows.last_mut() {
            Some(last) if last.merchant == merchant => {
                last.totals = last.totals.plus(transaction)?;
            }
            _ => self.rows.push(Row { merchant: merchant.to_owned(), totals: transaction }),
        }
        Ok(())
    }

    /// Returns the sums, in the order of the merchants.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// Returns the sum of all rows.
pub fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Result<Totals, TooLarge> {
    rows.into_iter().try_fold(Totals::ZERO, |sum, row| sum.plus(row.totals))
}

/// Cents, displayed as a decimal with two places: `-12.30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal(pub i64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(gross: i64, fee: i64) -> Totals {
        Totals { gross, fee, net: gross - fee, count: 1 }
    }

    #[test]
    fn transactions_are_summed_by_merchant() {
        let mut accumulator = Accumulator::default();
        for (merchant, gross) in [("a", 100), ("a", -40), ("b", 7)] {
            accumulator.add(merchant, totals(gross, 1)).expect("small");
        }
        let rows = accumulator.into_rows();
        let a =
            Row { merchant: "a".into(), totals: Totals { gross: 60, fee: 2, net: 58, count: 2 } };
        assert_eq!(rows, [a, Row { merchant: "b".into(), totals: totals(7, 1) }]);
        assert_eq!(sum(&rows), Ok(Totals { gross: 67, fee: 3, net: 64, count: 3 }));
        assert_eq!(sum(&[]), Ok(Totals::ZERO));
    }

    #[test]
    fn a_sum_that_overflows_is_an_error() {
        assert_eq!(totals(i64::MAX, 0).plus(totals(1, 0)), Err(TooLarge));
        assert_eq!(totals(i64::MIN, 0).plus(totals(-1, 0)), Err(TooLarge));
    }

    #[test]
    fn totals_balance_if_net_is_gross_minus_fee() {
        assert!(totals(1_000, 29).is_balanced() && totals(-1_000, -29).is_balanced());
        assert!(!Totals { net: 972, ..totals(1_000, 29) }.is_balanced());
        assert!(!Totals { gross: i64::MIN, fee: 1, net: i64::MAX, count: 1 }.is_balanced());
    }

    #[test]
    fn a_decimal_has_two_places() {
        for (cents, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (-5, "-0.05"),
            (-1_230, "-12.30"),
            (i64::MIN, "-92233720368547758.08"),
        ] {
            assert_eq!(Decimal(cents).to_string(), text);
        }
    }
}
