//! `POST /jobs/settlement`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("settlement-create", warm::settlements, handler::handle).await
}
