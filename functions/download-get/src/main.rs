//! `GET /downloads/{job_id}.csv`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("download-get", warm::settlements, handler::handle).await
}
