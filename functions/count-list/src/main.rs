//! `GET /api/verve/counts`

mod handler;

use once::http::{Error, Warm, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("count-list", Warm::Counts, handler::handle).await
}
