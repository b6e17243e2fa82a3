//! The smallest possible function behind an HTTP API: the floor of `bench start` and
//! `bench programs`.

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_: Request| async { Ok::<_, Error>("ok") })).await
}
