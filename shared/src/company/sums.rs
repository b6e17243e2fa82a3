//! Daily sums of a company's payments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ledger::{Kind, Payment, TooLarge},
    time::Day,
};

/// Sums of one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySums {
    /// Number of paid orders.
    pub sales: i64,
    /// Number of cancelled orders.
    pub reversals: i64,
    /// Payments of buyers, less refunds.
    pub gross_cents: i64,
    /// Fees that the company pays.
    pub fee_cents: i64,
    /// Gross less fees.
    pub net_cents: i64,
    /// Payments of buyers, refunds not deducted.
    pub sales_gross_cents: i64,
}

impl DaySums {
    /// Returns the sums with one more payment.
    pub fn with_payment(self, payment: Payment<'_>) -> Result<Self, TooLarge> {
        let is_sale = payment.kind == Kind::Sale;
        self.plus(&Self {
            sales: is_sale.into(),
            reversals: (!is_sale).into(),
            gross_cents: payment.gross_cents,
            fee_cents: payment.fee_cents,
            net_cents: payment.net_cents,
            sales_gross_cents: if is_sale { payment.gross_cents } else { 0 },
        })
    }

    /// Returns the sum of both.
    pub fn plus(&self, other: &Self) -> Result<Self, TooLarge> {
        let add = |a: i64, b: i64| a.checked_add(b).ok_or(TooLarge);
        Ok(Self {
            sales: add(self.sales, other.sales)?,
            reversals: add(self.reversals, other.reversals)?,
            gross_cents: add(self.gross_cents, other.gross_cents)?,
            fee_cents: add(self.fee_cents, other.fee_cents)?,
            net_cents: add(self.net_cents, other.net_cents)?,
            sales_gross_cents: add(self.sales_gross_cents, other.sales_gross_cents)?,
        })
    }
}

/// Data from which all kinds of a company's figures are computed: the sums of each day, also of
/// days without entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The days, oldest first.
    pub days: BTreeMap<Day, DaySums>,
}

impl Base {
    /// Returns the sums of all days.
    pub(super) fn total(&self) -> Result<DaySums, TooLarge> {
        self.days.values().try_fold(DaySums::default(), |total, day| total.plus(day))
    }
}
