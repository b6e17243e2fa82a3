//! Fills the tables of a stack with data that depends only on a [`Plan`], and computes the sums
//! that a settlement of the ledger must return. The sums are added up while the transactions are
//! generated, independently of the code that settles.
//!
//! A ledger with other entries settles to other sums. Start with an empty ledger, or with one that
//! was filled by the same plan (or by one with fewer transactions): its entries are overwritten.

mod batch;
mod command;
mod plan;
mod random;
mod stack;
mod sums;
mod tables;
#[cfg(test)]
mod tests;

pub use batch::WriteError;
pub use command::Seed;
pub use plan::Plan;
pub use stack::{MissingVariable, Stack};
pub use sums::{Cents, Sum, Sums};
pub use tables::{
    CompanyError, ProductError, WriteSummary, create_products, put_companies, write_entries,
};
