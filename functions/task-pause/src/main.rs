//! `POST /scheduler/jobs/{id}/pause`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("task-pause", warm::schedules, handler::handle).await
}
