//! The queue of figures to be computed.

use functions::company::compute;
use once::worker::{Error, serve_sqs};

fn main() -> Result<(), Error> {
    serve_sqs(env!("CARGO_BIN_NAME"), compute::handle)
}
