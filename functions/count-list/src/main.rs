//! `GET /api/verve/counts`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("count-list", warm::counts, handler::handle).await
}
