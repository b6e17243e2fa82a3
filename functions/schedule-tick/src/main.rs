//! Each minute, by a rule.

mod handler;

use once::worker::{Error, serve_ticks};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_ticks("schedule-tick", handler::handle).await
}
