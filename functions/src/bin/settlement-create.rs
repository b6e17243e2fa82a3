//! `POST /jobs/settlement`

use functions::settlement::create;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::settlements, create::handle)
}
