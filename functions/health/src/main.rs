//! `GET /health`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("health", warm::health, handler::handle).await
}
