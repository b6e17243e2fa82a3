//! Handlers of orders.

pub mod cancel;
pub mod create;
pub mod get;
pub mod list;

use once::{
    App,
    access::{AccessError, Caller, ORDER_TOKEN},
    http::{self, ApiError, Request},
};
use uuid::{Uuid, fmt::Hyphenated};

/// Reads the order's id from the path, if the caller may use it: an operator whose role permits
/// the request, or who has the order's token. Nobody else learns whether the order exists.
async fn permitted_order(app: &App, request: &Request) -> Result<Uuid, ApiError> {
    let id: String = http::path_parameter(request, "id")?;
    let id = id.parse::<Hyphenated>().map(Uuid::from);
    let id = id.map_err(|_| ApiError::invalid("id", "must be a UUID with hyphens"))?;
    let is_permitted = match http::caller(request) {
        Caller::Operator(_) => true,
        Caller::Anonymous => {
            let token = http::header(request, ORDER_TOKEN).unwrap_or_default();
            app.order_tokens().verify(id, token, app.now()).await?
        }
    };
    is_permitted.then_some(id).ok_or_else(|| AccessError::NotOfOrder.into())
}

/// Checks that the tests of several handlers share.
#[cfg(test)]
pub(crate) mod checks {
    use once::{
        App,
        access::ORDER_TOKEN,
        http::{ApiError, Reply, Request},
        testing::{Answer, Call, Cloud, Instance, sample},
    };
    use serde_json::{Value, json};
    use uuid::Uuid;

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
        let answer = Call::sample(function).to(&cloud.instance(), handler).await;
        assert_eq!((answer.status, answer.code()), (404, "ORDER_NOT_FOUND"));
    }

    /// Asserts that a handler answers a request with the order's own token like one of an operator,
    /// and that one without a valid token does not tell whether the order exists.
    pub async fn assert_order_token<H, F>(call: impl Fn(Uuid) -> Call, handler: H)
    where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.create_product(100).await;
        let id = instance.place_order(1, 2, "user-123").await.id;
        let now = instance.app.now();
        let keys = instance.app.order_tokens().keys(now).await.expect("the secret");
        let with = |id: Uuid, token: &str| call(id).anonymous().header(ORDER_TOKEN, token);
        let (own, of_unknown) = (keys.sign(id), keys.sign(Uuid::nil()));
        let (own, of_unknown) = (String::from(own), String::from(of_unknown));

        let permitted = with(id, &own).to(&instance, handler).await;
        assert_eq!((permitted.status, &permitted.body["id"]), (200, &json!(id)));
        let missing = call(id).anonymous().to(&instance, handler).await;
        assert_eq!((missing.status, missing.code()), (401, "TOKEN_MISSING"));
        drop(instance.transport.take_calls());
        for wrong in ["", "x", &of_unknown, &own[1..]] {
            let existing = with(id, wrong).to(&instance, handler).await;
            let unknown = with(Uuid::max(), wrong).to(&instance, handler).await;
            assert_eq!((existing.status, existing.code()), (403, "ORDER_TOKEN_INVALID"), "{wrong}");
            assert_eq!((existing.body, existing.headers), (unknown.body, unknown.headers));
        }
        assert!(instance.transport.take_calls().is_empty(), "the order is not read");
        let restored = with(Uuid::nil(), &of_unknown).to(&instance, handler).await;
        assert_eq!((restored.status, restored.code()), (404, "ORDER_NOT_FOUND"));

        cloud.services().remove_order_secret();
        let unverified = with(id, &own).to(&cloud.instance(), handler).await;
        assert_eq!((unverified.status, unverified.code()), (503, "SECRET_UNAVAILABLE"));
        let operator = call(id).to(&cloud.instance(), handler).await;
        assert_eq!(operator.status, 200, "operators need no secret");
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
