//! The queue of callbacks.

mod handler;

use once::{
    lifecycle::{Error, Warm},
    worker::serve_messages,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_messages("callback-send", Warm::Nothing, handler::handle).await
}
