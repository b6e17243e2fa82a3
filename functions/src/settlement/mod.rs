//! Handlers of settlements: for callers `create`, `list`, `get`, `cancel`, `retry` and `download`;
//! for queues the workers `plan`, `batch`, `finish` and `dead_letter`; on a timer `recover`.

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
