//! `GET /openapi.yaml` and `GET /docs`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("openapi-get", warm::nothing, handler::handle).await
}
