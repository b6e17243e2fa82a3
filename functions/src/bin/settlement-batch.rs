//! The queue of batches to be summed.

use functions::settlement::batch;
use once::worker::{Error, serve_sqs};

fn main() -> Result<(), Error> {
    serve_sqs(env!("CARGO_BIN_NAME"), batch::handle)
}
