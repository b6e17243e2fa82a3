//! The one table of functions: which routes each serves, who may call it, and what its requests may
//! hold.
//!
//! A program finds its row by the name it was built under (`CARGO_BIN_NAME`) and does not start
//! without one. [`crate::http::serve`] enforces the row before the handler runs: access, query
//! parameters and body that the row does not declare are refused. Tests hold `template.yaml`,
//! `openapi.yaml` and `Cargo.toml` against this table.

use crate::access::{Access, Role, Switch};

/// A row of the table: one function behind the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// Name of the program, as in `functions/src/bin/<function>.rs`.
    pub function: &'static str,
    /// The routes that it serves.
    pub routes: &'static [Route],
    /// Who may call it.
    pub access: Access,
    /// Names of the query parameters that it takes.
    pub query: &'static [&'static str],
    /// The body that it takes.
    pub body: Body,
    /// How its errors are written.
    pub errors: ErrorFormat,
    /// Which throttling limits of the template hold for its routes.
    pub rate: RateClass,
}

/// A method and a path, with `{name}` for its variable segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// `/orders/{id}`
    pub path: &'static str,
}

/// The body that an endpoint takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// None: a request with a body is refused.
    None,
    /// A JSON object.
    Json,
}

/// How an endpoint writes its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFormat {
    /// A problem document (RFC 9457).
    Problem,
    /// The text `failed`; code and message are in the header `X-Error`.
    PlainText,
}

/// The throttling limits of a route: parameters of `template.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateClass {
    /// `RequestsPerSecond`, `RequestsBurst`
    Default,
    /// `AcceptPerSecond`, `AcceptBurst`
    Accept,
    /// `OrdersPerSecond`, `OrdersBurst`
    Orders,
}

const fn get(path: &'static str) -> Route {
    Route { method: "GET", path }
}

const fn post(path: &'static str) -> Route {
    Route { method: "POST", path }
}

const fn put(path: &'static str) -> Route {
    Route { method: "PUT", path }
}

const fn delete(path: &'static str) -> Route {
    Route { method: "DELETE", path }
}

/// An endpoint without query and body, with problem documents and the default rate.
const fn endpoint(function: &'static str, routes: &'static [Route], access: Access) -> Endpoint {
    Endpoint {
        function,
        routes,
        access,
        query: &[],
        body: Body::None,
        errors: ErrorFormat::Problem,
        rate: RateClass::Default,
    }
}

impl Endpoint {
    const fn query(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    const fn json(self) -> Self {
        Self { body: Body::Json, ..self }
    }

    const fn plain_text_errors(self) -> Self {
        Self { errors: ErrorFormat::PlainText, ..self }
    }

    const fn rate(self, rate: RateClass) -> Self {
        Self { rate, ..self }
    }
}

const PAGE: &[&str] = &["limit", "cursor"];

/// The rule of endpoints that only look.
const READ: Access = Access::Operator(Role::Read);

/// The rule of endpoints that change something.
const ADMIN: Access = Access::Operator(Role::Admin);

/// Every function behind a route of the API.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("accept", &[get("/api/verve/accept")], Access::OpenUnless(Switch::Accept))
        .query(&["id", "url", "endpoint"])
        .plain_text_errors()
        .rate(RateClass::Accept),
    endpoint("count-list", &[get("/api/verve/counts")], READ)
        .query(&["from", "to", "limit", "cursor"]),
    endpoint("callback-test", &[post("/test")], Access::OpenUnless(Switch::Test)).json(),
    endpoint("order-create", &[post("/orders")], Access::OpenUnless(Switch::Orders))
        .json()
        .rate(RateClass::Orders),
    endpoint("order-list", &[get("/orders")], READ).query(&["limit", "offset", "cursor"]),
    endpoint("order-get", &[get("/orders/{id}")], Access::OrderOr(Role::Read)),
    endpoint("order-cancel", &[post("/orders/{id}/cancel")], Access::OrderOr(Role::Admin)),
    endpoint("product-create", &[post("/products")], ADMIN).json(),
    endpoint("product-list", &[get("/products")], Access::Open).query(PAGE),
    endpoint("product-get", &[get("/products/{id}")], Access::Open),
    endpoint("product-restock", &[post("/products/{id}/restock")], ADMIN).json(),
    endpoint("company-put", &[put("/companies/{id}")], ADMIN).json(),
    endpoint("company-get", &[get("/companies/{id}")], READ),
    endpoint(
        "company-figures",
        &[get("/api/financials"), get("/api/sales"), get("/api/employee")],
        READ,
    )
    .query(&["companyId"]),
    endpoint("settlement-create", &[post("/jobs/settlement")], ADMIN).query(&["force"]).json(),
    endpoint("settlement-list", &[get("/jobs")], READ).query(PAGE),
    endpoint("settlement-get", &[get("/jobs/{id}")], READ),
    endpoint("settlement-cancel", &[post("/jobs/{id}/cancel")], ADMIN),
    endpoint("settlement-retry", &[post("/jobs/{id}/retry")], ADMIN),
    endpoint("settlement-download", &[get("/downloads/{file}")], READ),
    endpoint("scheduled-job-create", &[post("/scheduler/jobs")], ADMIN).json(),
    endpoint("scheduled-job-list", &[get("/scheduler/jobs")], READ).query(PAGE),
    endpoint("scheduled-job-get", &[get("/scheduler/jobs/{id}")], READ),
    endpoint("scheduled-job-put", &[put("/scheduler/jobs/{id}")], ADMIN).json(),
    endpoint("scheduled-job-delete", &[delete("/scheduler/jobs/{id}")], ADMIN),
    endpoint("schedule-get", &[get("/scheduler/jobs/{id}/schedule")], READ),
    endpoint("schedule-put", &[put("/scheduler/jobs/{id}/schedule")], ADMIN).json(),
    endpoint("schedule-delete", &[delete("/scheduler/jobs/{id}/schedule")], ADMIN),
    endpoint("scheduled-job-pause", &[post("/scheduler/jobs/{id}/pause")], ADMIN),
    endpoint("scheduled-job-resume", &[post("/scheduler/jobs/{id}/resume")], ADMIN),
    endpoint("scheduled-job-run", &[post("/scheduler/jobs/{id}/run")], ADMIN),
    endpoint("scheduled-job-run-list", &[get("/scheduler/jobs/{id}/runs")], READ).query(PAGE),
    endpoint("schedule-preview", &[post("/scheduler/preview")], READ).json(),
    endpoint("health", &[get("/health")], Access::Open),
    endpoint("metrics-get", &[get("/metrics")], READ),
    endpoint("openapi-get", &[get("/openapi.yaml"), get("/docs")], Access::Open),
];

/// The function behind the route `$default`: it answers requests that no route matches, whatever
/// they hold, with 404 or 405. So it declares no input, and none is checked.
pub const FALLBACK: Endpoint = endpoint("route-unknown", &[], Access::Open);

/// What invokes a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A rule of EventBridge, each minute.
    Rule,
    /// Messages of a queue.
    Queue,
}

/// Every function that no route reaches, and what invokes it.
pub const WORKERS: &[(&str, Trigger)] = &[
    ("minute-close", Trigger::Rule),
    ("callback-send", Trigger::Queue),
    ("company-compute", Trigger::Queue),
    ("settlement-plan", Trigger::Queue),
    ("settlement-batch", Trigger::Queue),
    ("settlement-finish", Trigger::Queue),
    ("settlement-dead-letter", Trigger::Queue),
    ("settlement-recover", Trigger::Rule),
    ("schedule-tick", Trigger::Rule),
    ("schedule-run", Trigger::Queue),
];

/// A program that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}: no such function in shared/src/routes.rs")]
pub struct UnknownFunction(pub &'static str);

/// Returns the row of an API function.
///
/// # Errors
/// The table has no such function, or it is a worker.
pub fn endpoint_of(function: &'static str) -> Result<&'static Endpoint, UnknownFunction> {
    let rows = ENDPOINTS.iter().chain([&FALLBACK]);
    rows.into_iter().find(|row| row.function == function).ok_or(UnknownFunction(function))
}

/// Checks that the table has a worker with this name and trigger.
///
/// # Errors
/// It does not.
pub fn check_worker(function: &'static str, trigger: Trigger) -> Result<(), UnknownFunction> {
    WORKERS.contains(&(function, trigger)).then_some(()).ok_or(UnknownFunction(function))
}

impl Route {
    /// Whether a path is one of this route's.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let all = self.path.split('/').all(|segment| {
            given.next().is_some_and(|given| {
                if segment.starts_with('{') { !given.is_empty() } else { segment == given }
            })
        });
        all && given.next().is_none()
    }
}

/// Every route with the row of its function.
pub fn routes() -> impl Iterator<Item = (Route, &'static Endpoint)> {
    ENDPOINTS.iter().flat_map(|row| row.routes.iter().map(move |route| (*route, row)))
}

/// Returns the row that serves a request, [`FALLBACK`] where no route matches.
#[must_use]
pub fn serving(method: &str, path: &str) -> &'static Endpoint {
    routes()
        .find(|(route, _)| route.method == method && route.matches(path))
        .map_or(&FALLBACK, |(_, row)| row)
}

/// Returns the methods that a path takes, as in `GET, POST`; `None` where there is no such path.
#[must_use]
pub fn allowed_methods(path: &str) -> Option<String> {
    let matching = routes().filter(|(route, _)| route.matches(path));
    let methods: Vec<_> = matching.map(|(route, _)| route.method).collect();
    (!methods.is_empty()).then(|| methods.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn only_reading_permits_more_than_admin_by_its_method() {
        // What looks and is no GET: a preview computes, the test receiver answers what it got.
        let looks = ["/scheduler/preview", "/test"];
        for (route, row) in routes() {
            let is_open = matches!(row.access, Access::Open | Access::OpenUnless(_));
            let is_admin =
                matches!(row.access, Access::Operator(Role::Admin) | Access::OrderOr(Role::Admin));
            let changes = route.method != "GET" && !looks.contains(&route.path);
            assert_eq!(is_admin, changes && !is_open, "{route:?}");
        }
        let open: Vec<_> = routes().filter(|(_, row)| row.access == Access::Open).collect();
        assert!(open.iter().all(|(route, _)| route.method == "GET"), "{open:?}");
    }

    #[test]
    fn a_function_has_one_row_and_a_route_one_function() {
        let names: Vec<_> = ENDPOINTS
            .iter()
            .map(|row| row.function)
            .chain([FALLBACK.function])
            .chain(WORKERS.iter().map(|(function, _)| *function))
            .collect();
        assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len());
        for (route, row) in routes() {
            let servers = routes().filter(|(other, _)| *other == route).count();
            assert_eq!(servers, 1, "{route:?} of {}", row.function);
        }
    }

    #[test]
    fn a_function_is_found_by_its_exact_name_and_kind() {
        let listing = endpoint_of("order-list").map(|row| row.access);
        assert_eq!(listing, Ok(Access::Operator(Role::Read)));
        assert_eq!(endpoint_of("route-unknown"), Ok(&FALLBACK));
        for unknown in ["order-craete", "Order-Create", "", "minute-close"] {
            assert_eq!(endpoint_of(unknown), Err(UnknownFunction(unknown)));
        }
        assert_eq!(check_worker("minute-close", Trigger::Rule), Ok(()));
        assert!(check_worker("minute-close", Trigger::Queue).is_err());
        assert!(check_worker("order-create", Trigger::Queue).is_err());
    }

    #[test]
    fn a_path_is_known_by_its_segments() {
        assert_eq!(allowed_methods("/orders").as_deref(), Some("POST, GET"));
        assert_eq!(allowed_methods("/orders/7").as_deref(), Some("GET"));
        assert_eq!(allowed_methods("/companies/m").as_deref(), Some("PUT, GET"));
        assert_eq!(allowed_methods("/products/7/restock").as_deref(), Some("POST"));
        let unknown = ["/", "", "/order", "/orders/", "/orders/7/8", "/orders//cancel"];
        for unknown in unknown {
            assert_eq!(allowed_methods(unknown), None, "{unknown}");
            assert_eq!(serving("GET", unknown), &FALLBACK, "{unknown}");
        }
        assert_eq!(serving("GET", "/orders/7").function, "order-get");
        assert_eq!(serving("PUT", "/orders/7").function, "route-unknown");
    }
}
