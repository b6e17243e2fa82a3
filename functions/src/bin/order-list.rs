//! `GET /orders?limit&offset` or `?limit&cursor`

use functions::orders::list;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::orders, list::handle)
}
