//! `GET /api/verve/accept`

use functions::uniques::accept;
use once::http::{Error, prewarm, serve_concurrent};

fn main() -> Result<(), Error> {
    serve_concurrent(env!("CARGO_BIN_NAME"), prewarm::uniques, accept::handle)
}
