//! `GET /api/financials`, `/api/sales` and `/api/employee`

use functions::company::figures;
use once::http::{Error, prewarm, serve_concurrent};

fn main() -> Result<(), Error> {
    serve_concurrent(env!("CARGO_BIN_NAME"), prewarm::companies, figures::handle)
}
