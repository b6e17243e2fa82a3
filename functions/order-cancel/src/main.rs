//! `POST /orders/{id}/cancel`

mod handler;

use once::http::{Error, Warm, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("order-cancel", Warm::Orders, handler::handle).await
}
