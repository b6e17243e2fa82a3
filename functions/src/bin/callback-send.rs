//! The queue of callbacks.

use functions::uniques::callback_send;
use once::worker::{Error, serve_sqs};

fn main() -> Result<(), Error> {
    serve_sqs(env!("CARGO_BIN_NAME"), callback_send::handle)
}
