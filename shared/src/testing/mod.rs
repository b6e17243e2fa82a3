//! Test support: the real SDK clients against an embedded DynamoDB with the template's tables and
//! against fake services, with faults injected in between.
//!
//! - [`Cloud`]: the store of one test.
//! - [`Instance`]: an instance of a function with its own caches and transport.
//! - [`FaultyTransport`]: records calls and their units, and injects faults.
//! - [`FakeServices`]: the queues, the stream, the secrets, the files and the metrics.
//! - [`ConflictWindow`]: conflicts of overlapping transactions.
//! - [`crash`]: runs a flow with a crash at each of its calls.
//! - [`Call`], [`delivery`]: a request as API Gateway passes it, and a message of a queue.
//! - [`Template`]: the SAM template.
//! - `fixtures`: orders ([`new_product`], [`new_order`], [`Instance::create_product`]),
//!   settlements ([`Cloud::record_sales`], [`Instance::create_settlement`],
//!   [`Cloud::deliver_all`]) and scheduled jobs ([`Instance::create_scheduled_job`],
//!   [`job_with_schedule`], [`Cloud::record_scheduled_jobs`]).

#![expect(clippy::missing_panics_doc, reason = "test support panics if a test cannot continue")]

mod bucket;
mod cloud;
pub mod crash;
mod fake_cloudwatch;
mod fake_services;
mod fault;
mod faulty_transport;
mod fixtures;
mod invocation;
mod local_services;
mod replies;
mod requests;
mod template;
mod window;

pub use cloud::{
    ACCESS_KEY, COMPANIES_TABLE, Cloud, ENVIRONMENT, Instance, LEDGER_TABLE, ORDER_SECRET_ID,
    ORDERS_TABLE, READ_TOKEN, SCHEDULES_TABLE, SETTLEMENTS_TABLE, TOKEN, UNIQUES_TABLE, app_over,
    client_over,
};
pub use fake_cloudwatch::MetricId;
pub use fake_services::{FakeServices, ORDER_SECRET, QueueDepth, QueuedMessage};
pub use fault::Fault;
pub use faulty_transport::{ApiCall, FaultyTransport, cost};
pub use fixtures::{job_id, job_with_schedule, new_order, new_product, new_scheduled_job};
pub use invocation::{Answer, Call, delivery, sample, sample_message};
pub use template::{Template, root, stack};
pub use window::ConflictWindow;
