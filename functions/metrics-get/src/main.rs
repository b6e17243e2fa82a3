//! `GET /metrics`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("metrics-get", warm::nothing, handler::handle).await
}
