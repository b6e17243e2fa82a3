//! `POST /products`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("product-create", warm::orders, handler::handle).await
}
