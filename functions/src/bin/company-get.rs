//! `GET /companies/{id}`

use functions::company::get;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::companies, get::handle)
}
