//! `POST /products/{id}/restock`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("product-restock", warm::orders, handler::handle).await
}
