//! Each minute, by a rule.

mod handler;

use once::{
    lifecycle::{Error, Warm},
    worker::serve_ticks,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_ticks("minute-close", Warm::Nothing, handler::handle).await
}
