//! Orders: as requested, stored and returned, with their amounts.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    product::{Definition, Product, ProductId},
    stock::Share,
};
use crate::{
    ledger::{Entry, fee_cents},
    time::Timestamp,
    validated::{Bounded, Text},
};

/// The body of `POST /orders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// The product.
    pub product_id: ProductId,
    /// The number of units.
    pub quantity: Bounded<1, 1_000_000>,
    /// The buyer: the shop's own id of its customer.
    pub buyer_id: Text<128>,
}

/// The status of an order: `CONFIRMED` → `CANCELLED`, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// The units are sold and paid.
    Confirmed,
    /// The units are back in stock and the payment is reversed.
    Cancelled,
}

/// An order as it is stored and returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The id; derived from the idempotency key and its caller if the request had a key.
    pub id: Uuid,
    /// The product.
    pub product_id: u32,
    /// The buyer.
    pub buyer_id: String,
    /// The number of units.
    pub quantity: u32,
    /// The status.
    pub status: Status,
    /// Price times quantity, in cents.
    pub total_cents: i64,
    /// Time of placing.
    pub created_at: Timestamp,
    /// Time of the last change of the status.
    pub updated_at: Timestamp,
}

/// A stored order, with what its cancellation needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// The merchant who is paid.
    pub merchant_id: String,
    /// The merchant's fee, in cents.
    pub fee_cents: i64,
    /// The lanes that its units were withdrawn from.
    pub shares: Vec<Share>,
}

impl OrderRecord {
    /// Makes the record of a requested order. Its shares are still empty.
    #[must_use]
    pub fn new(product: &Definition, new: NewOrder, id: Uuid, now: Timestamp) -> Self {
        let quantity = new.quantity.get();
        let total_cents = i64::from(product.product.price.get()) * i64::from(quantity);
        Self {
            order: Order {
                id,
                product_id: product.id,
                buyer_id: new.buyer_id.into(),
                quantity,
                status: Status::Confirmed,
                total_cents,
                created_at: now,
                updated_at: now,
            },
            merchant_id: product.product.merchant_id.to_string(),
            fee_cents: fee_cents(total_cents, product.product.fee_basis_points.get()),
            shares: Vec::new(),
        }
    }

    /// Returns whether `other` has the same product, buyer and quantity.
    #[must_use]
    pub fn is_same_request(&self, other: &Order) -> bool {
        let Order { product_id, buyer_id, quantity, .. } = &self.order;
        (product_id, buyer_id, quantity) == (&other.product_id, &other.buyer_id, &other.quantity)
    }

    /// Returns the ledger entry of the payment.
    #[must_use]
    pub fn entry(&self) -> Entry {
        let Order { id, total_cents, created_at, .. } = self.order;
        Entry::sale(id, &self.merchant_id, total_cents, self.fee_cents, created_at)
    }
}

/// An order with its current product: `GET /orders/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderWithProduct {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// The product with its current stock.
    pub product: Option<ProductSummary>,
}

/// The part of a product that is returned with an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductSummary {
    /// The id.
    pub id: u32,
    /// The name.
    pub name: String,
    /// The units that are left now.
    pub stock: u64,
    /// The price of a unit, in cents.
    pub price: u32,
}

impl From<Product> for ProductSummary {
    fn from(Product { id, name, stock, price, .. }: Product) -> Self {
        Self { id, name, stock, price }
    }
}
