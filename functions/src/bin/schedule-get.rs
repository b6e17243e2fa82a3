//! `GET /scheduler/jobs/{id}/schedule`

use functions::schedule::schedule_get;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::schedules, schedule_get::handle)
}
