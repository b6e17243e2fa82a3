//! `POST /test`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("callback-test", warm::nothing, handler::handle).await
}
