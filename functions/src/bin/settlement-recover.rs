//! Each minute, by a rule.

use functions::settlement::recover;
use once::worker::{Error, serve_scheduled};

fn main() -> Result<(), Error> {
    serve_scheduled(env!("CARGO_BIN_NAME"), recover::handle)
}
