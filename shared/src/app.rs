//! The composition root.

use std::sync::Arc;

use crate::{aws::Aws, config::Config, orders::Orders, time::Timestamp};

/// Everything that a process holds. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    orders: Orders,
}

impl App {
    /// One of each, over these services.
    #[must_use]
    pub fn new(config: Config, aws: &Aws) -> Self {
        Self(Arc::new(Inner { orders: Orders::new(aws.dynamo(), config.orders) }))
    }

    /// Products and orders.
    #[must_use]
    pub fn orders(&self) -> &Orders {
        &self.0.orders
    }

    /// The time at which a request is handled. A handler asks once and hands it on.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
