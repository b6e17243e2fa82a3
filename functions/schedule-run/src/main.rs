//! The queue of occurrences.

mod handler;

use once::worker::{Error, serve_messages};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_messages("schedule-run", handler::handle).await
}
