//! `GET /api/verve/counts`

use functions::uniques::count_list;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::counts, count_list::handle)
}
