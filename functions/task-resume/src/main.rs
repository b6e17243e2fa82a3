//! `POST /scheduler/jobs/{id}/resume`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("task-resume", warm::schedules, handler::handle).await
}
