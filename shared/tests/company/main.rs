//! Company figures on the embedded store, with the real client: computed once, shared by all callers.

mod callers;
mod company;
mod costs;
mod crashes;
mod failures;
mod faults;
mod once_each;
