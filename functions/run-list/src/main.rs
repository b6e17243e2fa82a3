//! `GET /scheduler/jobs/{id}/runs`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("run-list", warm::schedules, handler::handle).await
}
