//! `GET /jobs/{id}`

use functions::settlement::get;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::settlements, get::handle)
}
