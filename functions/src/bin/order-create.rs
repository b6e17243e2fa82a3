//! `POST /orders`

use functions::orders::create;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::orders_and_tokens, create::handle)
}
