//! `GET /scheduler/jobs/{id}`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("task-get", warm::schedules, handler::handle).await
}
