//! The queue of callbacks.

mod handler;

use once::worker::{Error, serve_messages};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_messages("callback-send", handler::handle).await
}
