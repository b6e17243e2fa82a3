//! `GET /health`

use functions::operations::health;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::health, health::handle)
}
