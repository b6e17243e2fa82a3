//! `POST /scheduler/preview`

use functions::schedule::preview;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::nothing, preview::handle)
}
