//! What tests stand on: the real SDK client against an embedded DynamoDB whose tables are the template's, with faults on
//! the wire between them.
//!
//! - [`Cloud`]: the store, for one test alone.
//! - [`Instance`]: an instance of a function with a memory and a wire of its own.
//! - [`FaultyTransport`]: counts calls and units, and makes them fail as told.
//! - [`FakeServices`]: the queues, the stream, the parameters, the files and the metrics that stand beside the store.
//! - [`crash`]: runs a flow again and again, dying at each of its calls.
//! - [`new_product`], [`new_order`]: the shop that tests of orders begin with.
//! - [`Cloud::sales`], [`Instance::job`], [`Cloud::deliver_all`]: the ledger, the job and the queues that tests of settlements begin with.
//! - [`Instance::task`], [`Instance::schedule`], [`Instance::fire`], [`job_with_schedule`]: the scheduled jobs that tests of functions begin with.
//! - [`Cloud::jobs`]: scheduled jobs by the thousand.
//! - [`Call`], [`delivery`]: a request as API Gateway hands it over, and the answer to it; a message of a queue.

#![expect(clippy::missing_panics_doc, reason = "a test that cannot go on panics")]

mod bucket;
mod cloud;
pub mod crash;
mod fake_cloudwatch;
mod fake_services;
mod fault;
mod faulty_transport;
mod fixtures;
mod invocation;
mod replies;
mod template;
mod window;

pub use cloud::{
    COMPANIES_TABLE, Cloud, Instance, LEDGER_TABLE, NAMES, ORDERS_TABLE, SCHEDULES_TABLE,
    SETTLEMENTS_TABLE, TOKEN, UNIQUES_TABLE, app_over, client_over,
};
pub use fake_cloudwatch::Meter;
pub use fake_services::{Depth, FakeServices, Queued};
pub use fault::Fault;
pub use faulty_transport::{FaultyTransport, Sent, cost};
pub use fixtures::{job_id, job_with_schedule, new_order, new_product, new_scheduled_job};
pub use invocation::{Answer, Call, delivery, sample, sample_message};
pub use template::{Template, root};
pub use window::ConflictWindow;
