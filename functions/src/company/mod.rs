//! Handlers of companies and their figures.

pub mod compute;
pub mod figures;
pub mod get;
pub mod put;
