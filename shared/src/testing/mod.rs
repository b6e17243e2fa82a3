//! What tests stand on: the real SDK client against an embedded DynamoDB whose tables are the template's, with faults on
//! the wire between them.
//!
//! - [`Cloud`]: the store, for one test alone.
//! - [`Process`]: an instance of a function with a memory and a wire of its own.
//! - [`Wire`]: counts calls and units, and makes them fail as told.
//! - [`Outside`]: the queues, the stream, the parameters, the files and the metrics that stand beside the store.
//! - [`crash`]: runs a flow again and again, dying at each of its calls.
//! - [`new_product`], [`new_order`]: the shop that tests of orders begin with.
//! - [`Cloud::sales`], [`Process::job`], [`Cloud::deliver_all`]: the ledger, the job and the queues that tests of settlements begin with.
//! - [`Process::task`], [`Process::schedule`], [`Process::fire`], [`scheduled_task`]: the scheduled jobs that tests of functions begin with.
//! - [`Cloud::jobs`]: scheduled jobs by the thousand.
//! - [`Call`], [`delivery`]: a request as API Gateway hands it over, and the answer to it; a message of a queue.

#![expect(clippy::missing_panics_doc, reason = "a test that cannot go on panics")]

mod bucket;
mod cloud;
pub mod crash;
mod fault;
mod invocation;
mod jobs;
mod meters;
mod outside;
mod replies;
mod scheduler;
mod settle;
mod shop;
mod template;
mod window;
mod wire;

pub use cloud::{
    COMPANIES_TABLE, Cloud, LEDGER_TABLE, NAMES, ORDERS_TABLE, Process, SCHEDULES_TABLE, SETTLEMENTS_TABLE,
    UNIQUES_TABLE, app_over, client_over,
};
pub use fault::Fault;
pub use invocation::{Answer, Call, delivery, sample, sample_message};
pub use jobs::job_id;
pub use meters::Meter;
pub use outside::{Depth, Outside, Queued};
pub use scheduler::{new_task, scheduled_task};
pub use shop::{new_order, new_product};
pub use template::{Template, root};
pub use window::ConflictWindow;
pub use wire::{Sent, Wire, cost};
