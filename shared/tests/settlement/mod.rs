//! Settlement: each transaction is in the sums once per run.

mod cancellation;
mod chaos;
mod completion;
mod costs;
mod crashes;
mod cutoff;
mod failures;
mod fixtures;
mod metrics;
mod recovery;
