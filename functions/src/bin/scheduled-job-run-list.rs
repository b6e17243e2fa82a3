//! `GET /scheduler/jobs/{id}/runs`

use functions::schedule::job_run_list;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::schedules, job_run_list::handle)
}
