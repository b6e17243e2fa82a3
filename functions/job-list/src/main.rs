//! `GET /jobs`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("job-list", warm::settlements, handler::handle).await
}
