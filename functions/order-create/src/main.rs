//! `POST /orders`

mod handler;

use once::http::{Error, Warm, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("order-create", Warm::Orders, handler::handle).await
}
