//! `POST /scheduler/jobs/{id}/run`

use functions::schedule::job_run;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::schedules, job_run::handle)
}
