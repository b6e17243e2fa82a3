//! The queue of jobs to be planned.

use functions::settlement::plan;
use once::worker::{Error, serve_sqs};

fn main() -> Result<(), Error> {
    serve_sqs(env!("CARGO_BIN_NAME"), plan::handle)
}
