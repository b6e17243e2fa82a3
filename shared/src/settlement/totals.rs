//! What transactions add up to, in cents. No AWS, no clock.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ledger::{Payment, TooLarge};

/// The sum of some transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// What buyers paid.
    #[serde(rename = "gross_cents")]
    pub gross: i64,
    /// What merchants pay of it.
    #[serde(rename = "fee_cents")]
    pub fee: i64,
    /// What merchants get.
    #[serde(rename = "net_cents")]
    pub net: i64,
    /// Transactions, reversals included.
    #[serde(rename = "txn_count")]
    pub count: u64,
}

impl Totals {
    /// Of no transactions.
    pub const NOTHING: Self = Self { gross: 0, fee: 0, net: 0, count: 0 };

    /// Both together.
    pub fn plus(self, other: Self) -> Result<Self, TooLarge> {
        Ok(Self {
            gross: self.gross.checked_add(other.gross).ok_or(TooLarge)?,
            fee: self.fee.checked_add(other.fee).ok_or(TooLarge)?,
            net: self.net.checked_add(other.net).ok_or(TooLarge)?,
            count: self.count.checked_add(other.count).ok_or(TooLarge)?,
        })
    }

    /// What is paid out is what was paid in, without the fees.
    #[must_use]
    pub fn balance(&self) -> bool {
        self.gross.checked_sub(self.fee) == Some(self.net)
    }
}

impl From<Payment<'_>> for Totals {
    fn from(paid: Payment<'_>) -> Self {
        Self { gross: paid.gross_cents, fee: paid.fee_cents, net: paid.net_cents, count: 1 }
    }
}

/// The sum of one merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub merchant: String,
    pub totals: Totals,
}

/// Adds transactions up by merchant. They come in the order of the ledger, so all of a merchant come one after the other.
#[derive(Debug, Default)]
pub struct Summing {
    rows: Vec<Row>,
}

impl Summing {
    /// One more transaction.
    pub fn add(&mut self, merchant: &str, transaction: Totals) -> Result<(), TooLarge> {
        match self.rows.last_mut() {
            Some(last) if last.merchant == merchant => {
                last.totals = last.totals.plus(transaction)?;
            }
            _ => self.rows.push(Row { merchant: merchant.to_owned(), totals: transaction }),
        }
        Ok(())
    }

    /// The sums, by merchant.
    #[must_use]
    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// All rows together.
pub fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Result<Totals, TooLarge> {
    rows.into_iter().try_fold(Totals::NOTHING, |sum, row| sum.plus(row.totals))
}

/// An amount with a point and two places: `-12.30`.
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
    fn transactions_are_added_up_by_merchant() {
        let mut summing = Summing::default();
        for (merchant, gross) in [("a", 100), ("a", -40), ("b", 7)] {
            summing.add(merchant, totals(gross, 1)).expect("small");
        }
        let rows = summing.into_rows();
        let a =
            Row { merchant: "a".into(), totals: Totals { gross: 60, fee: 2, net: 58, count: 2 } };
        assert_eq!(rows, [a, Row { merchant: "b".into(), totals: totals(7, 1) }]);
        assert_eq!(sum(&rows), Ok(Totals { gross: 67, fee: 3, net: 64, count: 3 }));
        assert_eq!(sum(&[]), Ok(Totals::NOTHING));
    }

    #[test]
    fn a_sum_that_does_not_fit_is_none() {
        assert_eq!(totals(i64::MAX, 0).plus(totals(1, 0)), Err(TooLarge));
        assert_eq!(totals(i64::MIN, 0).plus(totals(-1, 0)), Err(TooLarge));
    }

    #[test]
    fn a_payment_balances_or_not() {
        assert!(totals(1_000, 29).balance() && totals(-1_000, -29).balance());
        assert!(!Totals { net: 972, ..totals(1_000, 29) }.balance());
        assert!(!Totals { gross: i64::MIN, fee: 1, net: i64::MAX, count: 1 }.balance());
    }

    #[test]
    fn an_amount_has_two_places() {
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
