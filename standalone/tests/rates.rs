//! The rate limit of each route.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use standalone::front::{Front, Rate, Rates};

use crate::service::{Service, names, settings};

/// Sends requests until one is refused, and returns the number of admitted ones.
async fn admitted(service: &Service, method: &str, target: &str) -> usize {
    let mut client = service.connect().await;
    for admitted in 0.. {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let answer = client.call(&request).await;
        if answer.status != 200 {
            answer.assert_gateway(429, "Too Many Requests");
            return admitted;
        }
    }
    unreachable!("none was refused")
}

#[tokio::test]
async fn each_route_has_the_rate_and_burst_of_its_class() {
    let time = Arc::new(Mutex::new(Instant::now()));
    let mut settings = settings();
    settings.rates = Rates {
        default: Rate { per_second: 1, burst: 2 },
        accept: Rate { per_second: 3, burst: 5 },
        orders: Rate { per_second: 2, burst: 4 },
    };
    let clock = time.clone();
    let front = Front::with_clock(settings, names(), move || *clock.lock());
    let service = Service::start_front(front).await;
    for (method, target, burst) in [
        ("GET", "/api/verve/accept?id=1", 5),
        ("POST", "/orders", 4),
        ("GET", "/orders", 2),
        ("GET", "/orders/7", 2),
        ("GET", "/nothing", 2),
    ] {
        assert_eq!(admitted(&service, method, target).await, burst, "{method} {target}");
    }
    assert_eq!(admitted(&service, "GET", "/orders/8").await, 0, "of the same route");
    *time.lock() += Duration::from_secs(1);
    for (method, target, per_second) in [
        ("GET", "/api/verve/accept?id=1", 3),
        ("POST", "/orders", 2),
        ("GET", "/orders/8", 1),
        ("GET", "/elsewhere", 1),
    ] {
        assert_eq!(admitted(&service, method, target).await, per_second, "{method} {target}");
    }
}
