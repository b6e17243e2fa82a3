//! `GET /products?limit&cursor`

mod handler;

use once::http::{Error, Warm, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("product-list", Warm::Orders, handler::handle).await
}
