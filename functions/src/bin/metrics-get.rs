//! `GET /metrics`

use functions::operations::metrics;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::nothing, metrics::handle)
}
