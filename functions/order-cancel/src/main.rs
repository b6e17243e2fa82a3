//! `POST /orders/{id}/cancel`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("order-cancel", warm::orders, handler::handle).await
}
