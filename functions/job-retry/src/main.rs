//! `POST /jobs/{id}/retry`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("job-retry", warm::settlements, handler::handle).await
}
