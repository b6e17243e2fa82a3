//! The queue of messages that were tried too often.

mod handler;

use once::worker::{Error, serve_messages};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_messages("settlement-give-up", handler::handle).await
}
