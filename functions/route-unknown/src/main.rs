//! `$default`: whatever no other function serves.

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("route-unknown", warm::nothing, handler::handle).await
}
