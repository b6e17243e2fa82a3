//! `POST /jobs/{id}/retry`

use functions::settlement::retry;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::settlements, retry::handle)
}
