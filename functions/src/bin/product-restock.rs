//! `POST /products/{id}/restock`

use functions::products::restock;
use once::http::{Error, prewarm, serve};

fn main() -> Result<(), Error> {
    serve(env!("CARGO_BIN_NAME"), prewarm::orders, restock::handle)
}
