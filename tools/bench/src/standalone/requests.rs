//! The requests of the measurement.

use std::sync::LazyLock;

/// Ids that no run before has sent.
static FIRST_ID: LazyLock<u64> = LazyLock::new(|| fastrand::u64(1 << 32..1 << 62));

/// A request to accept an id.
pub fn accept(id: u64) -> String {
    get(&format!("/api/verve/accept?id={id}"))
}

/// The same with the `n`th id of this run.
pub fn unique_id(n: u64) -> String {
    accept(fastrand::u64(..1 << 20) + *FIRST_ID + (n << 20))
}

/// An order of one unit by a buyer of its own.
pub fn order(product: u64, buyer: u64) -> String {
    let body = format!(r#"{{"product_id":{product},"quantity":1,"buyer_id":"buyer-{buyer}"}}"#);
    with_body("POST", "/orders", &body)
}

/// A request of figures of a company.
pub fn figures(company: &str) -> String {
    get(&format!("/api/sales?companyId={company}"))
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// A request with a body in JSON.
pub fn with_body(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}
