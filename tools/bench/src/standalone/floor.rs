//! The floor: the same put of an id, by the SDK's client to a store of its own in this process.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};

use futures_util::future::join_all;
use once::testing::client_over;

use super::{ROUND, print};
use crate::{services::OwnServices, uniques::BarePut};

/// A store with the template's tables.
pub struct Floor {
    put: BarePut,
    sent: AtomicI64,
    _services: OwnServices,
}

impl Floor {
    pub async fn open() -> Self {
        let services = OwnServices::open().await;
        let put = BarePut::to(&client_over(services.services.clone()));
        Self { put, sent: AtomicI64::new(0), _services: services }
    }

    /// Puts ids for [`ROUND`] and prints their rate.
    pub async fn rate(&self, clients: usize) {
        let start = Instant::now();
        let client = async || {
            let mut times = Vec::new();
            while start.elapsed() < ROUND {
                let began = Instant::now();
                self.put.send(self.sent.fetch_add(1, Ordering::Relaxed)).await;
                times.push(began.elapsed());
            }
            times
        };
        let times = join_all((0..clients).map(|_| client())).await;
        let took = start.elapsed();
        print("floor: bare puts", clients, took, times.into_iter().flatten().collect(), None);
    }
}
