//! Who is let in at each route: every route with every kind of token, through the real handlers.

use std::{collections::BTreeSet, time::Duration};

use once::{
    App,
    access::ORDER_TOKEN,
    http::{ApiError, Reply, Request},
    routes::{self, FALLBACK, Route},
    testing::{Answer, Call, Cloud, Instance, READ_TOKEN, TOKEN},
};
use uuid::Uuid;

use crate::table::{Function, function};

/// What a route answers to a request with no token, one of the role `read`, one of the role
/// `admin`, an unknown one, and the own token of its order or of another one.
type Row = [Outcome; 6];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The handler answers, as the caller is permitted.
    Admitted,
    /// 401 without an error: a token is required.
    Missing,
    /// 401 `invalid_token`
    Unknown,
    /// 403 `insufficient_scope`
    Insufficient,
    /// 403: the token is not the one of the order.
    NotOfOrder,
}

use Outcome::{Admitted, Insufficient, Missing, NotOfOrder, Unknown};

const OPEN: Row = [Admitted, Admitted, Admitted, Unknown, Admitted, Admitted];
const OPEN_CHANGES: Row = [Admitted, Insufficient, Admitted, Unknown, Admitted, Admitted];
const READ: Row = [Missing, Admitted, Admitted, Unknown, Missing, Missing];
const ADMIN: Row = [Missing, Insufficient, Admitted, Unknown, Missing, Missing];
const ORDER_READ: Row = [Missing, Admitted, Admitted, Unknown, Admitted, NotOfOrder];
const ORDER_ADMIN: Row = [Missing, Insufficient, Admitted, Unknown, Admitted, NotOfOrder];

/// Every route. What is not in the first two lines is closed.
const ROUTES: &[(&str, Row)] = &[
    ("GET /products, GET /products/{id}, POST /test", OPEN),
    ("GET /health, GET /docs, GET /openapi.yaml, GET /", OPEN),
    ("GET /api/verve/accept, POST /orders", OPEN_CHANGES),
    ("GET /orders/{id}", ORDER_READ),
    ("POST /orders/{id}/cancel", ORDER_ADMIN),
    ("GET /orders, GET /api/verve/counts, GET /metrics", READ),
    ("GET /companies/{id}, GET /api/financials, GET /api/sales, GET /api/employee", READ),
    ("GET /jobs, GET /jobs/{id}, GET /downloads/{file}", READ),
    ("GET /scheduler/jobs, GET /scheduler/jobs/{id}, GET /scheduler/jobs/{id}/schedule", READ),
    ("GET /scheduler/jobs/{id}/runs, POST /scheduler/preview", READ),
    ("POST /products, POST /products/{id}/restock, PUT /companies/{id}", ADMIN),
    ("POST /jobs/settlement, POST /jobs/{id}/cancel, POST /jobs/{id}/retry", ADMIN),
    ("POST /scheduler/jobs, PUT /scheduler/jobs/{id}, DELETE /scheduler/jobs/{id}", ADMIN),
    ("PUT /scheduler/jobs/{id}/schedule, DELETE /scheduler/jobs/{id}/schedule", ADMIN),
    ("POST /scheduler/jobs/{id}/pause, POST /scheduler/jobs/{id}/resume", ADMIN),
    ("POST /scheduler/jobs/{id}/run", ADMIN),
];

fn expected() -> impl Iterator<Item = (&'static str, &'static str, Row)> {
    ROUTES.iter().flat_map(|(routes, row)| {
        routes.split(", ").map(|route| {
            let (method, path) = route.split_once(' ').expect("a method and a path");
            (method, path, *row)
        })
    })
}

/// An order with its own token and the token of another one.
struct Tokens {
    order: Uuid,
    own: String,
    other: String,
}

impl Tokens {
    async fn of(instance: &Instance) -> Self {
        instance.create_product(100).await;
        let order = instance.place_order(1, 1, "buyer").await.id;
        let other = instance.place_order(1, 1, "buyer").await.id;
        let keys = instance.app.order_tokens().keys(instance.app.now()).await.expect("the secret");
        Self { order, own: keys.sign(order).into(), other: keys.sign(other).into() }
    }

    /// The same request with each kind of token.
    fn requests(&self, method: &str, path: &str) -> [Call; 6] {
        let path = path.replace("{id}", &self.order.to_string()).replace("{file}", "x.csv");
        let call = || Call::new(method, &path).anonymous();
        let bearer = |token: &str| call().header("authorization", &format!("Bearer {token}"));
        let order = |token: &str| call().header(ORDER_TOKEN, token);
        let [own, other] = [order(&self.own), order(&self.other)];
        [call(), bearer(READ_TOKEN), bearer(TOKEN), bearer("other"), own, other]
    }
}

async fn call_handler(app: App, request: Request) -> Result<Reply, ApiError> {
    let row = routes::serving(request.method().as_str(), request.uri().path());
    match function(row.function) {
        Some(Function::Api(handler)) => handler(app, request).await,
        _ => panic!("{} has no handler", row.function),
    }
}

fn outcome(answer: &Answer) -> Outcome {
    let challenge = answer.headers.get("www-authenticate");
    let challenge = challenge.map(|challenge| challenge.to_str().expect("ASCII"));
    match (answer.status, challenge) {
        (401, Some(r#"Bearer realm="once""#)) => Missing,
        (401, Some(r#"Bearer error="invalid_token""#)) => Unknown,
        (403, Some(challenge)) if challenge.contains(r#"error="insufficient_scope""#) => {
            Insufficient
        }
        (403, None) if answer.code() == "ORDER_TOKEN_INVALID" => NotOfOrder,
        (401 | 403, _) => panic!("{answer:?}"),
        _ => Admitted,
    }
}

#[test]
fn each_route_is_expected_once() {
    let expected: Vec<_> = expected().map(|(method, path, _)| format!("{method} {path}")).collect();
    let routes = routes::routes().map(|(Route { method, path }, _)| format!("{method} {path}"));
    let mut routes: BTreeSet<_> = routes.collect();
    assert_eq!(routes::serving("GET", "/"), &FALLBACK);
    routes.insert("GET /".to_owned());
    assert_eq!(expected.len(), routes.len(), "each once");
    assert_eq!(expected.into_iter().collect::<BTreeSet<_>>(), routes);
}

#[tokio::test]
async fn every_route_lets_in_who_has_the_right_and_nobody_else() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let tokens = Tokens::of(&instance).await;
    for (method, path, row) in expected() {
        let mut found = Vec::new();
        for call in tokens.requests(method, path) {
            found.push(outcome(&call.to(&instance, call_handler).await));
        }
        assert_eq!(found, row, "{method} {path}");
    }
}

#[tokio::test]
async fn the_sample_event_of_a_function_has_the_token_that_it_requires() {
    let cloud = Cloud::start().await;
    // Nobody computes the figures.
    let instance = cloud.instance_with(|config| config.companies.wait = Duration::ZERO);
    for row in routes::ENDPOINTS {
        let answer = Call::sample(row.function).to(&instance, call_handler).await;
        assert!(!matches!(answer.status, 401 | 403), "{}: {answer:?}", row.function);
    }
}

#[tokio::test]
async fn no_answer_but_that_of_its_creation_has_the_token_of_an_order() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let tokens = Tokens::of(&instance).await;
    let body = r#"{"product_id":1,"quantity":1,"buyer_id":"buyer"}"#;
    let created = Call::new("POST", "/orders").body(body).to(&instance, call_handler).await;
    assert!(created.body["order_token"].is_string());
    for (method, path, _) in expected().filter(|(_, path, _)| path.starts_with("/orders")) {
        for call in tokens.requests(method, path) {
            let answer = call.to(&instance, call_handler).await.body.to_string();
            assert!(!answer.contains("order_token"), "{method} {path}: {answer}");
            assert!(!answer.contains(&tokens.own), "{method} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn without_configured_tokens_nothing_closed_is_reachable() {
    let cloud = Cloud::start().await;
    let tokens = Tokens::of(&cloud.instance()).await;
    let instance = cloud.instance_with(|config| {
        config.access.admin = None;
        config.access.read = None;
    });
    for (method, path, row) in expected().filter(|(_, _, row)| row[0] == Missing) {
        let calls = tokens.requests(method, path);
        for (call, expected) in calls.into_iter().zip(row).take(4) {
            let answer = call.to(&instance, call_handler).await;
            assert_eq!(answer.status, 401, "{method} {path} {expected:?}");
        }
    }
}
