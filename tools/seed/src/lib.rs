//! What the tables of a stack are filled with, the same for the same [`Plan`], and what a settlement of the ledger must come to: the sums
//! are added up while the transactions are made, apart from any code that settles.
//!
//! A ledger that holds other entries, too, settles to more than these sums: begin with an empty one, or with one that was filled
//! with the same plan (or fewer transactions), which is overwritten entry by entry.

mod batch;
mod draw;
mod fill;
mod plan;
mod stack;
mod sums;
#[cfg(test)]
mod tests;

pub use batch::WriteError;
pub use fill::{ProductError, Written, create_products, put_companies, write_entries};
pub use plan::Plan;
pub use stack::{Missing, Stack};
pub use sums::{Cents, Sum, Sums};
