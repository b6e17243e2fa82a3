//! The ledger: one entry for every payment, and a reversing one for every payment that is returned.
//! Entries never change.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    aws::ServiceError,
    dynamo::{
        Item,
        keys::{self, Key},
        to_item,
    },
    time::Timestamp,
    validated::Name,
};

/// A merchant's id in the ledger.
pub type MerchantId = Name<64>;

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// An order was paid.
    Sale,
    /// The payment of a cancelled order was returned: the amounts of the sale with opposite sign.
    Reversal,
}

/// One transaction of a merchant, in cents. `net_cents = gross_cents - fee_cents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The order's id for a sale, `<order id>-reversal` for its reversal.
    pub txn_id: String,
    /// Sale or reversal.
    pub kind: Kind,
    /// The order.
    pub order_id: Uuid,
    /// The merchant who is paid.
    pub merchant_id: String,
    /// The amount that the buyer paid.
    pub gross_cents: i64,
    /// The fee that the merchant pays.
    pub fee_cents: i64,
    /// The amount that the merchant receives.
    pub net_cents: i64,
    /// Time of recording; its UTC day is the day with which the entry is settled.
    pub recorded_at: Timestamp,
}

impl Entry {
    /// Makes the entry of a paid order.
    #[must_use]
    pub fn sale(
        order_id: Uuid,
        merchant_id: &str,
        gross_cents: i64,
        fee_cents: i64,
        recorded_at: Timestamp,
    ) -> Self {
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

    /// Makes the reversal of this sale, on the day of the return: the day of the sale may be
    /// settled already.
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

    /// Returns the entry as an item of the table.
    pub fn item(&self) -> Result<Item, ServiceError> {
        to_item(self.key(), self)
    }

    /// Returns the key of the item.
    #[must_use]
    pub fn key(&self) -> Key {
        keys::ledger(self.recorded_at, &self.merchant_id, &self.txn_id)
    }
}

/// The projection that [`read_payment`] reads.
pub const PAYMENT_ATTRIBUTES: &str = "sk, merchant_id, kind, gross_cents, fee_cents, net_cents";

/// The amounts of an entry, as read from the table. They balance: `net = gross - fee`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment<'a> {
    /// The merchant who is paid.
    pub merchant_id: &'a str,
    /// Sale or reversal.
    pub kind: Kind,
    /// The amount that the buyer paid.
    pub gross_cents: i64,
    /// The fee that the merchant pays.
    pub fee_cents: i64,
    /// The amount that the merchant receives.
    pub net_cents: i64,
}

/// An entry that this module does not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid ledger entry {entry}: bad `{attribute}`")]
pub struct InvalidEntry {
    entry: String,
    attribute: &'static str,
}

/// A sum of cents that exceeds 63 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sums are too large")]
pub struct TooLarge;

/// Reads the [`PAYMENT_ATTRIBUTES`] of an item strictly: each must be as [`Entry`] writes it.
pub fn read_payment(item: &Item) -> Result<Payment<'_>, InvalidEntry> {
    let text = |attribute: &str| item.get(attribute)?.as_s().ok();
    let cents = |attribute: &str| item.get(attribute)?.as_n().ok()?.parse().ok();
    let invalid = |attribute| {
        let entry = text("sk").map_or("without key", String::as_str).to_owned();
        InvalidEntry { entry, attribute }
    };
    let merchant_id = text("merchant_id").filter(|id| MerchantId::check(id).is_ok());
    let kind = match text("kind").map(String::as_str) {
        Some("SALE") => Some(Kind::Sale),
        Some("REVERSAL") => Some(Kind::Reversal),
        _ => None,
    };
    let payment = Payment {
        merchant_id: merchant_id.ok_or_else(|| invalid("merchant_id"))?,
        kind: kind.ok_or_else(|| invalid("kind"))?,
        gross_cents: cents("gross_cents").ok_or_else(|| invalid("gross_cents"))?,
        fee_cents: cents("fee_cents").ok_or_else(|| invalid("fee_cents"))?,
        net_cents: cents("net_cents").ok_or_else(|| invalid("net_cents"))?,
    };
    let gross_less_fee = payment.gross_cents.checked_sub(payment.fee_cents);
    let is_balanced = gross_less_fee == Some(payment.net_cents);
    is_balanced.then_some(payment).ok_or_else(|| invalid("net_cents"))
}

/// Returns the fee for a total, rounded half up to whole cents.
///
/// A total is at most 10^15 cents (a million units at ten million dollars), so the result is exact.
///
/// # Panics
/// Never: the fee is at most the total.
#[must_use]
pub fn fee_cents(total_cents: i64, basis_points: u32) -> i64 {
    let fee = (i128::from(total_cents) * i128::from(basis_points) + 5_000) / 10_000;
    i64::try_from(fee).expect("at most the total")
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::dynamo::{number, text};

    fn sale() -> Item {
        let at = "2026-11-20T12:00:00Z".parse().expect("a time");
        Entry::sale(Uuid::nil(), "merchant_001", 2_000, 58, at).item().expect("an item")
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let (merchant_id, kind) = ("merchant_001", Kind::Sale);
        let expected =
            Payment { merchant_id, kind, gross_cents: 2_000, fee_cents: 58, net_cents: 1_942 };
        assert_eq!(read_payment(&sale()), Ok(expected));
    }

    #[test]
    fn an_invalid_entry_is_an_error_that_names_it() {
        for (attribute, value) in [
            ("merchant_id", text("merchant 1")),
            ("merchant_id", text("")),
            ("merchant_id", number(1)),
            ("kind", text("PENDING")),
            ("gross_cents", text("2000")),
            ("fee_cents", AttributeValue::N("0.5".into())),
            ("fee_cents", AttributeValue::N("99999999999999999999".into())),
            ("net_cents", number(1_943)),
        ] {
            let mut item = sale();
            item.insert(attribute.to_owned(), value);
            let error = read_payment(&item).expect_err(attribute).to_string();
            assert!(error.contains("merchant_001#00000000-0000-0000-0000-000000000000"), "{error}");
            assert!(error.ends_with(&format!(": bad `{attribute}`")), "{error}");
            let mut item = sale();
            item.remove(attribute);
            assert!(read_payment(&item).is_err(), "without {attribute}");
        }
    }

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
    fn a_sale_and_its_reversal_sum_to_zero() {
        let sold = Timestamp::from_millis(0);
        let sale = Entry::sale(Uuid::nil(), "m", 2_000, 58, sold);
        let reversal = sale.clone().reversed(Timestamp::from_millis(86_400_000));
        assert_eq!((sale.net_cents, reversal.net_cents), (1_942, -1_942));
        assert_eq!(sale.gross_cents + reversal.gross_cents, 0);
        assert_eq!(sale.fee_cents + reversal.fee_cents, 0);
        assert_ne!(sale.key(), reversal.key());
    }
}
