//! The queue of batches to be summed.

mod handler;

use once::worker::{Error, serve_messages};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_messages("settlement-batch", handler::handle).await
}
