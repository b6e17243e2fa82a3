//! `GET /products/{id}`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("product-get", warm::orders, handler::handle).await
}
