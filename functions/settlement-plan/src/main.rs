//! The queue of jobs to be planned.

mod handler;

use once::worker::{Error, serve_messages};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_messages("settlement-plan", handler::handle).await
}
