//! `PUT /scheduler/jobs/{id}`

use functions::schedule::job_put;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::schedules, job_put::handle)
}
