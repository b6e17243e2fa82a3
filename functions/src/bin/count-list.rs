//! `GET /api/verve/counts`

use functions::uniques::counts;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::counts, counts::handle)
}
