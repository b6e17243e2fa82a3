//! `POST /scheduler/jobs/{id}/run`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("task-run", warm::schedules, handler::handle).await
}
