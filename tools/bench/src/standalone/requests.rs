//! The requests of the measurement.

use std::sync::LazyLock;

/// Ids that no run before has sent.
static FIRST_ID: LazyLock<u64> = LazyLock::new(|| fastrand::u64(1 << 32..1 << 62));

/// A request to accept an id.
pub fn accept(id: u64) -> String {
    get(&format!("/api/verve/accept?id={id}"), None)
}

/// The same with the `n`th id of this run.
pub fn unique_id(n: u64) -> String {
    accept(fastrand::u64(..1 << 20) + *FIRST_ID + (n << 20))
}

/// An order of one unit by a buyer of its own.
pub fn order(product: u64, buyer: u64) -> String {
    let body = format!(r#"{{"product_id":{product},"quantity":1,"buyer_id":"buyer-{buyer}"}}"#);
    with_body("POST", "/orders", None, &body)
}

/// A request of figures of a company, with an operator's token.
pub fn figures(company: &str, token: &str) -> String {
    get(&format!("/api/sales?companyId={company}"), Some(token))
}

fn get(path: &str, token: Option<&str>) -> String {
    let authorization = authorization(token);
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}\r\n")
}

/// A request with a body in JSON, and perhaps with a token.
pub fn with_body(method: &str, path: &str, token: Option<&str>, body: &str) -> String {
    let (authorization, length) = (authorization(token), body.len());
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn authorization(token: Option<&str>) -> String {
    token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default()
}
