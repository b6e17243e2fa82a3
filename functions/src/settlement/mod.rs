//! Handlers of settlements, and the workers that carry them out.

pub mod batch;
pub mod cancel;
pub mod create;
pub mod dead_letter;
pub mod download;
pub mod finish;
pub mod get;
pub mod list;
pub mod plan;
pub mod recover;
pub mod retry;
