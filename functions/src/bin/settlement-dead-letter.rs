//! The queue of messages that were tried too often.

use functions::settlement::dead_letter;
use once::worker::{Error, serve_sqs};

fn main() -> Result<(), Error> {
    serve_sqs(env!("CARGO_BIN_NAME"), dead_letter::handle)
}
