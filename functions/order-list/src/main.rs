//! `GET /orders?limit&offset` or `?limit&cursor`

mod handler;

use once::http::{Error, Warm, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("order-list", Warm::Orders, handler::handle).await
}
