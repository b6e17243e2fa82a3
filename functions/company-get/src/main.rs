//! `GET /companies/{id}`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("company-get", warm::companies, handler::handle).await
}
