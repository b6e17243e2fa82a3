//! The ledger: one entry for every payment, and a reversing one for every payment undone. Entries are never changed.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    aws::ServiceError,
    dynamo::{
        Item, keyed,
        keys::{self, Key},
    },
    time::Timestamp,
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// An order was paid.
    Sale,
    /// A cancelled order's payment was returned: the sale with its signs changed.
    Reversal,
}

/// One transaction of a merchant, in cents. `net_cents = gross_cents - fee_cents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The order's id for a sale, `<order id>-reversal` for its reversal.
    pub txn_id: String,
    /// What happened.
    pub kind: Kind,
    /// The order.
    pub order_id: Uuid,
    /// Who is paid.
    pub merchant_id: String,
    /// What the buyer paid.
    pub gross_cents: i64,
    /// What the merchant pays of it.
    pub fee_cents: i64,
    /// What the merchant gets.
    pub net_cents: i64,
    /// When it was recorded; its UTC day is the day on which it is settled.
    pub recorded_at: Timestamp,
}

impl Entry {
    /// An order was paid.
    #[must_use]
    pub fn sale(order_id: Uuid, merchant_id: &str, gross_cents: i64, fee_cents: i64, recorded_at: Timestamp) -> Self {
        Self {
            txn_id: order_id.to_string(),
            kind: Kind::Sale,
            order_id,
            merchant_id: merchant_id.to_owned(),
            gross_cents,
            fee_cents,
            net_cents: gross_cents - fee_cents,
            recorded_at,
        }
    }

    /// The payment is returned, on the day of the return: the day of the sale may be settled already.
    #[must_use]
    pub fn reversed(self, recorded_at: Timestamp) -> Self {
        Self {
            txn_id: format!("{}-reversal", self.txn_id),
            kind: Kind::Reversal,
            gross_cents: -self.gross_cents,
            fee_cents: -self.fee_cents,
            net_cents: -self.net_cents,
            recorded_at,
            ..self
        }
    }

    /// As it is kept.
    pub fn item(&self) -> Result<Item, ServiceError> {
        keyed(self.key(), self)
    }

    /// Where it is kept.
    #[must_use]
    pub fn key(&self) -> Key {
        keys::ledger(self.recorded_at, &self.merchant_id, &self.txn_id)
    }
}

/// Basis points of a total, half a cent and more rounded up.
///
/// A total is at most 10^15 cents (a million units at ten million dollars), so this is exact.
///
/// # Panics
/// Never: a fee is at most the total.
#[must_use]
pub fn fee_cents(total_cents: i64, basis_points: u32) -> i64 {
    let fee = (i128::from(total_cents) * i128::from(basis_points) + 5_000) / 10_000;
    i64::try_from(fee).expect("at most the total")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_rounded_to_the_nearest_cent() {
        for (total, basis_points, fee) in [
            (2_000, 290, 58),
            (0, 290, 0),
            (50, 290, 1),
            (51, 290, 1),
            (52, 290, 2),
            (17, 290, 0),
            (999, 0, 0),
            (999, 10_000, 999),
        ] {
            assert_eq!(fee_cents(total, basis_points), fee, "{total} at {basis_points}");
        }
    }

    #[test]
    fn the_largest_order_does_not_overflow() {
        assert_eq!(fee_cents(1_000_000_000_000_000, 10_000), 1_000_000_000_000_000);
    }

    #[test]
    fn a_sale_and_its_reversal_add_up_to_nothing() {
        let sold = Timestamp::from_millis(0);
        let sale = Entry::sale(Uuid::nil(), "m", 2_000, 58, sold);
        let reversal = sale.clone().reversed(Timestamp::from_millis(86_400_000));
        assert_eq!((sale.net_cents, reversal.net_cents), (1_942, -1_942));
        assert_eq!(sale.gross_cents + reversal.gross_cents, 0);
        assert_eq!(sale.fee_cents + reversal.fee_cents, 0);
        assert_ne!(sale.key(), reversal.key());
    }
}
