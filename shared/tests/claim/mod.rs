//! Claims on the embedded store, with the real client: at most one live owner, and one recorded
//! result.

mod fixtures;
mod interleavings;
mod lease_guard;
mod lost_replies;
mod transitions;
