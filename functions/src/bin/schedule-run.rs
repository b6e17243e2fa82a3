//! The queue of occurrences.

use functions::schedule::run;
use once::worker::{Error, serve_sqs};

fn main() -> Result<(), Error> {
    serve_sqs(env!("CARGO_BIN_NAME"), run::handle)
}
