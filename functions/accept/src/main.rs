//! `GET /api/verve/accept`

mod handler;

use once::http::{Error, serve_many, warm};

fn main() -> Result<(), Error> {
    serve_many("accept", warm::uniques, handler::handle)
}
