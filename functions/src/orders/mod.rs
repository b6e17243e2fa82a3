//! Handlers of orders.

pub mod cancel;
pub mod create;
pub mod get;
pub mod list;

use once::http::{self, ApiError, Request};
use uuid::{Uuid, fmt::Hyphenated};

/// Reads the order's id from the path.
fn order_id(request: &Request) -> Result<Uuid, ApiError> {
    let id: String = http::path_parameter(request, "id")?;
    let id = id.parse::<Hyphenated>().map(Uuid::from);
    id.map_err(|_| ApiError::invalid("id", "must be a UUID with hyphens"))
}

/// Checks that the tests of several handlers share.
#[cfg(test)]
pub(crate) mod checks {
    use once::{
        App,
        http::{ApiError, Reply, Request},
        testing::{Answer, Call, Cloud, Instance, sample},
    };
    use serde_json::{Value, json};

    /// Texts that are not the id of an order.
    const INVALID_ORDER_IDS: [&str; 8] = [
        "1",
        "7",
        "not-a-uuid",
        "0199a3c45e6f7a8b9c0d1e2f3a4b5c6d",
        "{0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d}",
        "0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6",
        "%00",
        "ORDER",
    ];

    /// Asserts that a request was rejected because of `field`.
    pub fn assert_invalid(answer: &Answer, field: &str, request: impl std::fmt::Display) {
        assert_eq!(
            (answer.status, answer.code(), answer.field()),
            (400, "INVALID_REQUEST", field),
            "{request}: {}",
            answer.body
        );
    }

    /// Asserts that a handler rejects each of these ids in the path.
    pub async fn assert_invalid_ids<H, F>(ids: &[&str], call: impl Fn(&str) -> Call, handler: H)
    where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let cloud = Cloud::start().await;
        for id in ids {
            assert_invalid(&call(id).to(&cloud.instance(), handler).await, "id", id);
        }
    }

    /// Asserts that a handler rejects invalid ids of orders.
    pub async fn assert_invalid_order_ids<H, F>(call: impl Fn(&str) -> Call, handler: H)
    where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        assert_invalid_ids(&INVALID_ORDER_IDS, call, handler).await;
    }

    /// Asserts that a function reports the order of its sample event as not found.
    pub async fn assert_sample_not_found<H, F>(function: &str, handler: H)
    where
        H: Fn(App, Request) -> F,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let cloud = Cloud::start().await;
        let error = handler(cloud.instance().app, sample(function)).await.expect_err("no order");
        let id = "0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("a UUID");
        assert_eq!(error, ApiError::order_not_found(id));
    }

    /// Asserts that a list rejects invalid limits and cursors.
    pub async fn assert_invalid_paging<H, F>(path: &str, handler: H)
    where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let cloud = Cloud::start().await;
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=101", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=", "cursor"),
            ("cursor=x", "cursor"),
            ("cursor=-1", "cursor"),
            ("cursor=%25", "cursor"),
            ("page=2", "page"),
        ] {
            let call = Call::new("GET", &format!("{path}?{query}"));
            assert_invalid(&call.to(&cloud.instance(), handler).await, field, query);
        }
    }

    /// Reads a list of three rows in two pages by cursor, and returns the rows. `rows` is the
    /// member of the response that has them.
    pub async fn read_two_pages<H, F>(
        instance: &Instance,
        path: &str,
        rows: &str,
        handler: H,
    ) -> Vec<Value>
    where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let page = async |query: &str| {
            let answer = Call::new("GET", &format!("{path}?{query}")).to(instance, handler).await;
            assert_eq!(answer.status, 200, "{query}: {}", answer.body);
            let page = answer.body[rows].as_array().expect("rows").clone();
            (page, answer.body["next_cursor"].clone())
        };
        let (first, cursor) = page("limit=2").await;
        let cursor = cursor.as_str().expect("more rows");
        let (second, end) = page(&format!("limit=2&cursor={cursor}")).await;
        assert_eq!((first.len(), second.len(), end), (2, 1, json!(null)));
        [first, second].concat()
    }

    /// Asserts that a list without rows is an empty page.
    pub async fn assert_empty_list<H, F>(function: &str, path: &str, rows: &str, handler: H)
    where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let cloud = Cloud::start().await;
        assert!(handler(cloud.instance().app, sample(function)).await.is_ok());
        let answer = Call::new("GET", path).to(&cloud.instance(), handler).await;
        assert_eq!((answer.status, answer.body), (200, json!({rows: [], "next_cursor": null})));
    }
}
