//! `POST /test`

use functions::uniques::callback_test;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::nothing, callback_test::handle)
}
