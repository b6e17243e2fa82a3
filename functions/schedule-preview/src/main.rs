//! `POST /scheduler/preview`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("schedule-preview", warm::nothing, handler::handle).await
}
