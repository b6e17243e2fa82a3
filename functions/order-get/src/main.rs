//! `GET /orders/{id}`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("order-get", warm::orders, handler::handle).await
}
