//! The claim on the embedded store, with the real client: at most one live owner, and one recorded result.

mod claimed;
mod holding;
mod interleavings;
mod losses;
mod transitions;
