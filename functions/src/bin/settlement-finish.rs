//! The queue of jobs whose batches are all summed.

use functions::settlement::finish;
use once::worker::{Error, serve_sqs};

fn main() -> Result<(), Error> {
    serve_sqs(env!("CARGO_BIN_NAME"), finish::handle)
}
