//! `GET /orders?limit&offset` or `?limit&cursor`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("order-list", warm::orders, handler::handle).await
}
