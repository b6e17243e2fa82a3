//! `POST /scheduler/jobs`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("task-create", warm::schedules, handler::handle).await
}
