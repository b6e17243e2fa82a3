//! Each minute, by a rule.

use functions::uniques::minute_close;
use once::worker::{Error, serve_scheduled};

fn main() -> Result<(), Error> {
    serve_scheduled(env!("CARGO_BIN_NAME"), minute_close::handle)
}
