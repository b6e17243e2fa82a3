//! `GET /openapi.yaml` and `GET /docs`

use functions::operations::openapi;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::nothing, openapi::handle)
}
