//! `$default`: whatever no other function serves.

mod handler;

use once::http::{Error, Warm, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("route-unknown", Warm::Nothing, handler::handle).await
}
