//! Products: as requested, stored and returned.

use serde::{Deserialize, Serialize};

use super::stock;
use crate::{
    ledger::MerchantId,
    time::Timestamp,
    validated::{Bounded, Text},
};

/// A product's id: a small integer from 1, assigned by the server.
pub type ProductId = Bounded<1, { u32::MAX }>;

/// The number of lanes of a product's stock.
pub type Lanes = Bounded<1, { stock::MAX_LANES }>;

/// A rate in hundredths of a percent.
pub type BasisPoints = Bounded<0, 10_000>;

/// The default fee, in basis points of an order's total: 2.9 %.
pub const DEFAULT_FEE_BASIS_POINTS: u32 = 290;

/// The body of `POST /products`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// The name: up to 200 characters.
    pub name: Text<200>,
    /// The price of a unit in cents, up to ten million dollars.
    pub price: Bounded<0, 1_000_000_000>,
    /// The initial stock.
    pub stock: Bounded<0, 1_000_000_000>,
    /// The merchant who is paid.
    pub merchant_id: MerchantId,
    /// The number of lanes of the stock (`docs/LANES.md`).
    #[serde(default = "default_lanes")]
    pub lanes: Lanes,
    /// The merchant's fee in basis points of an order's total. Stored with the product, so that an
    /// order reads only one item.
    #[serde(default = "default_fee")]
    pub fee_basis_points: BasisPoints,
}

fn default_lanes() -> Lanes {
    Lanes::literal::<{ stock::DEFAULT_LANES }>()
}

fn default_fee() -> BasisPoints {
    BasisPoints::literal::<DEFAULT_FEE_BASIS_POINTS>()
}

/// A product without its stock. It never changes, so an instance may cache it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The id.
    pub id: u32,
    /// The product as requested.
    #[serde(flatten)]
    pub product: NewProduct,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl Definition {
    /// Returns the number of lanes of its stock.
    #[must_use]
    pub fn lanes(&self) -> u16 {
        u16::try_from(self.product.lanes.get()).unwrap_or(u16::MAX)
    }
}

/// A product as it is returned, with its stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Product {
    /// The id.
    pub id: u32,
    /// The name.
    pub name: String,
    /// The price of a unit, in cents.
    pub price: u32,
    /// The units that are left.
    pub stock: u64,
    /// The merchant who is paid.
    pub merchant_id: String,
    /// The number of lanes of its stock.
    pub lanes: u16,
    /// The merchant's fee in basis points of an order's total.
    pub fee_basis_points: u32,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl Product {
    /// Combines a definition with the sum of its lanes.
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
