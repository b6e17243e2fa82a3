//! `POST /jobs/{id}/cancel`

use functions::settlement::cancel;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::settlements, cancel::handle)
}
