//! `POST /scheduler/jobs/{id}/pause`

use functions::schedule::job_pause;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::schedules, job_pause::handle)
}
