//! `DELETE /scheduler/jobs/{id}/schedule`

mod handler;

use once::http::{Error, serve, warm};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve("schedule-delete", warm::schedules, handler::handle).await
}
