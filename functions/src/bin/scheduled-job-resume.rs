//! `POST /scheduler/jobs/{id}/resume`

use functions::schedule::job_resume;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::schedules, job_resume::handle)
}
