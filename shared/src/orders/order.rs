//! Orders, and what an order is worth.

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

/// `POST /orders`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// What.
    pub product_id: ProductId,
    /// How many units.
    pub quantity: Bounded<1, 1_000_000>,
    /// For whom: the shop's own name for its customer.
    pub buyer_id: Text<128>,
}

/// Where an order stands. `CONFIRMED` → `CANCELLED`, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Its units are the buyer's.
    Confirmed,
    /// Its units are back in stock and its payment is reversed.
    Cancelled,
}

/// An order as it is stored and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id; with an idempotency key derived from buyer and key.
    pub id: Uuid,
    /// What was sold.
    pub product_id: u32,
    /// To whom.
    pub buyer_id: String,
    /// Units.
    pub quantity: u32,
    /// Where it stands.
    pub status: Status,
    /// Price times quantity.
    pub total_cents: i64,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When its status changed last.
    pub updated_at: Timestamp,
}

/// An order with what its cancellation needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// Who is paid.
    pub merchant_id: String,
    /// What the merchant pays of the total.
    pub fee_cents: i64,
    /// The lanes that gave its units.
    pub shares: Vec<Share>,
}

impl OrderRecord {
    /// The sale that `new` asks for; its units still to be found.
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

    /// `other` is what this request asked for.
    #[must_use]
    pub fn asks_the_same(&self, other: &Order) -> bool {
        let Order { product_id, buyer_id, quantity, .. } = &self.order;
        (product_id, buyer_id, quantity) == (&other.product_id, &other.buyer_id, &other.quantity)
    }

    /// Its payment.
    #[must_use]
    pub fn entry(&self) -> Entry {
        let Order { id, total_cents, created_at, .. } = self.order;
        Entry::sale(id, &self.merchant_id, total_cents, self.fee_cents, created_at)
    }
}

/// An order with the product as it is now: `GET /orders/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderWithProduct {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// The product.
    pub product: Option<ProductSummary>,
}

/// What an order shows of its product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductSummary {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Units left now.
    pub stock: u64,
    /// Cents a unit now.
    pub price: u32,
}

impl From<Product> for ProductSummary {
    fn from(Product { id, name, stock, price, .. }: Product) -> Self {
        Self { id, name, stock, price }
    }
}
