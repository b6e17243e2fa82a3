//! `GET /orders/{id}`

use functions::orders::get;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::orders_and_tokens, get::handle)
}
