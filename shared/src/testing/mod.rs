//! What tests stand on: the real SDK client against an embedded DynamoDB whose tables are the template's, with faults on
//! the wire between them.
//!
//! - [`Cloud`]: the store, for one test alone.
//! - [`Process`]: an instance of a function with a memory and a wire of its own.
//! - [`Wire`]: counts calls and units, and makes them fail as told.
//! - [`Outside`]: the queue, the stream and the parameters that stand beside the store.
//! - [`crash`]: runs a flow again and again, dying at each of its calls.
//! - [`new_product`], [`new_order`]: the shop that tests of orders begin with.
//! - [`Call`]: a request as API Gateway hands it over, and the answer to it.

#![expect(clippy::missing_panics_doc, reason = "a test that cannot go on panics")]

mod cloud;
pub mod crash;
mod invocation;
mod outside;
mod shop;
mod template;
mod window;
mod wire;

pub use cloud::{Cloud, LEDGER_TABLE, NAMES, ORDERS_TABLE, Process, UNIQUES_TABLE, app_over, client_over};
pub use invocation::{Answer, Call, sample};
pub use outside::Outside;
pub use shop::{new_order, new_product};
pub use template::{Template, root};
pub use window::ConflictWindow;
pub use wire::{Fault, Sent, Wire};
