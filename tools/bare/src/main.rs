//! The least that a function behind an HTTP API can be: the floor that `bench start` measures ours against.

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_: Request| async { Ok::<_, Error>("ok") })).await
}
