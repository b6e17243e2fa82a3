//! `$default`: whatever no other function serves.

use functions::operations::route_unknown;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::nothing, route_unknown::handle)
}
