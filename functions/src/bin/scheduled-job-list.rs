//! `GET /scheduler/jobs`

use functions::schedule::job_list;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::schedules, job_list::handle)
}
