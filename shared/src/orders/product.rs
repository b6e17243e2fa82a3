//! Products.

use serde::{Deserialize, Serialize};

use super::stock;
use crate::{
    ledger::MerchantId,
    time::Timestamp,
    validated::{Bounded, Text},
};

/// Ids are small integers given by the server, from 1.
pub type ProductId = Bounded<1, { u32::MAX }>;

/// Over how many items a product's stock is split.
pub type Lanes = Bounded<1, { stock::MAX_LANES }>;

/// Hundredths of a percent.
pub type BasisPoints = Bounded<0, 10_000>;

/// Basis points of an order's total that the merchant pays where its rate is not given: 2.9 %.
pub const DEFAULT_FEE_BASIS_POINTS: u32 = 290;

/// `POST /products`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// Up to 200 characters.
    pub name: Text<200>,
    /// Cents a unit, up to ten million dollars.
    pub price: Bounded<0, 1_000_000_000>,
    /// Units to sell at first.
    pub stock: Bounded<0, 1_000_000_000>,
    /// Who is paid for it.
    pub merchant_id: MerchantId,
    /// Over how many items the stock is split (`docs/LANES.md`).
    #[serde(default = "default_lanes")]
    pub lanes: Lanes,
    /// What the merchant pays of an order's total, in basis points. Kept with the product, so that an order reads one item only.
    #[serde(default = "default_fee")]
    pub fee_basis_points: BasisPoints,
}

fn default_lanes() -> Lanes {
    Lanes::literal::<{ stock::DEFAULT_LANES }>()
}

fn default_fee() -> BasisPoints {
    BasisPoints::literal::<DEFAULT_FEE_BASIS_POINTS>()
}

/// A product without its stock: what never changes, so that an instance may remember it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Its id.
    pub id: u32,
    /// As it was asked for.
    #[serde(flatten)]
    pub product: NewProduct,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Definition {
    /// Lanes of its stock.
    #[must_use]
    pub fn lanes(&self) -> u16 {
        u16::try_from(self.product.lanes.get()).unwrap_or(u16::MAX)
    }
}

/// A product as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Product {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Cents a unit.
    pub price: u32,
    /// Units left.
    pub stock: u64,
    /// Who is paid for it.
    pub merchant_id: String,
    /// Over how many items its stock is split.
    pub lanes: u16,
    /// What the merchant pays of an order's total.
    pub fee_basis_points: u32,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Product {
    /// The definition and the stock that was counted.
    #[must_use]
    pub fn new(definition: Definition, stock: u64) -> Self {
        let lanes = definition.lanes();
        let Definition { id, product, created_at } = definition;
        Self {
            id,
            name: product.name.into(),
            price: product.price.get(),
            stock,
            merchant_id: product.merchant_id.into(),
            lanes,
            fee_basis_points: product.fee_basis_points.get(),
            created_at,
        }
    }
}
