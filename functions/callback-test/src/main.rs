//! `POST /test`

mod handler;

use once::http::{Error, Warm, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("callback-test", Warm::Nothing, handler::handle).await
}
