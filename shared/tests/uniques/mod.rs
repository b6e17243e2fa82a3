//! Uniques on the embedded store, with the real client: an id is counted once per minute, and each
//! minute is published once.

mod callbacks;
mod closing;
mod costs;
mod crashes;
mod faults;
mod fixtures;
mod interleavings;
mod metrics;
mod shards;
