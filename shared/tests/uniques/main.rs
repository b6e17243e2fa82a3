//! Uniques on the embedded store, with the real client: an id is counted once a minute, and each minute is published once.

mod callbacks;
mod closing;
mod costs;
mod counted;
mod crashes;
mod faults;
mod interleavings;
mod metered;
mod shards;
