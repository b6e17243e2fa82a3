//! `GET /jobs`

use functions::settlement::list;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::settlements, list::handle)
}
