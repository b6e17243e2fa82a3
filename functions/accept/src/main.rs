//! `GET /api/verve/accept`

mod handler;

use once::http::{Error, Warm, serve_many};

fn main() -> Result<(), Error> {
    serve_many("accept", Warm::Uniques, handler::handle)
}
