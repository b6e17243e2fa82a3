//! Company figures on the embedded store, with the real client: computed once, shared by all
//! callers.

mod callers;
mod computed_once;
mod costs;
mod crashes;
mod failures;
mod faults;
mod fixtures;
