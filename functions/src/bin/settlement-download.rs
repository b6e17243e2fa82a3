//! `GET /downloads/{job_id}.csv`

use functions::settlement::download;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::settlements, download::handle)
}
