//! `GET /api/financials`, `/api/sales` and `/api/employee`

mod handler;

use once::http::{Error, serve_many, warm};

fn main() -> Result<(), Error> {
    serve_many("company-figures", warm::companies, handler::handle)
}
