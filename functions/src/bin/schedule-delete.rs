//! `DELETE /scheduler/jobs/{id}/schedule`

use functions::schedule::schedule_delete;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::schedules, schedule_delete::handle)
}
