//! The queue of jobs whose batches are all summed.

mod handler;

use once::worker::{Error, serve_messages};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_messages("settlement-finish", handler::handle).await
}
