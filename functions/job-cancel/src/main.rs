//! `POST /jobs/{id}/cancel`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("job-cancel", warm::settlements, handler::handle).await
}
