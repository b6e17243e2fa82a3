//! `PUT /companies/{id}`

use functions::company::put;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::companies, put::handle)
}
