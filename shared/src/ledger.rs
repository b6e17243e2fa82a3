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
    validated::Name,
};

/// A merchant's id in the ledger.
pub type MerchantId = Name<64>;

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

/// The attributes of which [`read_payment`] reads.
pub const PAYMENT_ATTRIBUTES: &str = "sk, merchant_id, kind, gross_cents, fee_cents, net_cents";

/// What an entry comes to, as it is read. It balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment<'a> {
    /// Who is paid.
    pub merchant_id: &'a str,
    /// What happened.
    pub kind: Kind,
    /// What the buyer paid.
    pub gross_cents: i64,
    /// What the merchant pays of it.
    pub fee_cents: i64,
    /// What the merchant gets.
    pub net_cents: i64,
}

/// An entry that the ledger's own code would not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "entry {entry} of the ledger is not to be read: its {attribute} is not what a ledger holds"
)]
pub struct InvalidEntry {
    entry: String,
    attribute: &'static str,
}

/// A sum of more cents than 63 bits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sums are too large")]
pub struct TooLarge;

/// Reads an item's [`PAYMENT_ATTRIBUTES`] strictly: what is not as [`Entry`] writes it is no payment.
pub fn read_payment(item: &Item) -> Result<Payment<'_>, InvalidEntry> {
    let text = |attribute: &str| item.get(attribute)?.as_s().ok();
    let cents = |attribute: &str| item.get(attribute)?.as_n().ok()?.parse().ok();
    let unreadable = |attribute| {
        let entry = text("sk").map_or("without a key", String::as_str).to_owned();
        InvalidEntry { entry, attribute }
    };
    let merchant_id = text("merchant_id").filter(|id| MerchantId::check(id).is_ok());
    let kind = match text("kind").map(String::as_str) {
        Some("SALE") => Some(Kind::Sale),
        Some("REVERSAL") => Some(Kind::Reversal),
        _ => None,
    };
    let paid = Payment {
        merchant_id: merchant_id.ok_or_else(|| unreadable("merchant_id"))?,
        kind: kind.ok_or_else(|| unreadable("kind"))?,
        gross_cents: cents("gross_cents").ok_or_else(|| unreadable("gross_cents"))?,
        fee_cents: cents("fee_cents").ok_or_else(|| unreadable("fee_cents"))?,
        net_cents: cents("net_cents").ok_or_else(|| unreadable("net_cents"))?,
    };
    let balances = paid.gross_cents.checked_sub(paid.fee_cents) == Some(paid.net_cents);
    balances.then_some(paid).ok_or_else(|| unreadable("net_cents"))
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
    fn an_entry_that_nobody_here_wrote_is_named_and_is_no_payment() {
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
            let unreadable = read_payment(&item).expect_err(attribute).to_string();
            assert!(
                unreadable.contains("merchant_001#00000000-0000-0000-0000-000000000000"),
                "{unreadable}"
            );
            assert!(
                unreadable.ends_with(&format!("its {attribute} is not what a ledger holds")),
                "{unreadable}"
            );
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
