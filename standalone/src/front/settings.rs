//! Settings of the front.

use std::time::Duration;

use super::{Cors, Rates};

/// Settings of a [`Front`](super::Front).
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which pages may call the API from a browser.
    pub cors: Cors,
    /// How many requests a route takes.
    pub rates: Rates,
    /// How large requests and responses may be.
    pub limits: Limits,
    /// How long clients and functions may take.
    pub timeouts: Timeouts,
}

/// Sizes, in bytes, and numbers. The defaults are the quotas of API Gateway and Lambda; they have
/// none for connections and URIs.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections; more wait until one closes. 1 024 by default.
    pub connections: usize,
    /// The URI of a request: 8 192 by default; 414 above.
    pub uri: usize,
    /// The request line and the headers together: 10 240 by default; 431 above.
    pub head: usize,
    /// The body of a request: 10 MiB by default; 413 above.
    pub body: usize,
    /// The body of a response, as JSON in the response of the function: 6 MiB by default; 500
    /// above.
    pub response: usize,
}

/// Time-outs.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From the end of a response to the end of the next head; the connection is then closed. 60 s
    /// by default.
    pub idle: Duration,
    /// From the first byte of a head to its end; the connection is then closed. 30 s by default.
    pub head: Duration,
    /// For the whole body of a request: 60 s by default; 408 after it.
    pub body: Duration,
    /// How long a client may take no byte of a response; the connection is then closed. 30 s by
    /// default.
    pub write: Duration,
    /// For a function, whose own time-out may be shorter: 30 s by default; 503 after it.
    pub function: Duration,
    /// For all requests in flight at a stop; they are then aborted. 30 s by default, the longest
    /// that a request may wait for its function.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            uri: 8_192,
            head: 10_240,
            body: 10 * 1_024 * 1_024,
            response: 6 * 1_024 * 1_024,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let half_minute = Duration::from_secs(30);
        Self {
            idle: 2 * half_minute,
            head: half_minute,
            body: 2 * half_minute,
            write: half_minute,
            function: half_minute,
            drain: half_minute,
        }
    }
}
