//! Every endpoint: the same list as in `template.yaml`, which a test holds against it.

use crate::access::Access;

/// A method and a path with `{name}` for its variable parts, and the function that serves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// `/orders/{id}`
    pub path: &'static str,
    /// Folder under `functions/`.
    pub function: &'static str,
    /// Whether it asks for a token.
    pub access: Access,
}

/// An endpoint that asks for a token, unless something else is said.
const fn route(method: &'static str, path: &'static str, function: &'static str) -> Route {
    Route { method, path, function, access: Access::Token }
}

impl Route {
    const fn with(self, access: Access) -> Self {
        Self { access, ..self }
    }
}

/// The endpoints.
pub const ROUTES: &[Route] = &[
    route("GET", "/api/verve/accept", "accept").with(Access::Accept),
    route("GET", "/api/verve/counts", "count-list").with(Access::Accept),
    route("POST", "/test", "callback-test").with(Access::Open),
    route("POST", "/orders", "order-create").with(Access::Orders),
    route("GET", "/orders", "order-list").with(Access::Orders),
    route("GET", "/orders/{id}", "order-get").with(Access::Orders),
    route("POST", "/orders/{id}/cancel", "order-cancel").with(Access::Orders),
    route("POST", "/products", "product-create"),
    route("GET", "/products", "product-list"),
    route("GET", "/products/{id}", "product-get"),
    route("POST", "/products/{id}/restock", "product-restock"),
    route("PUT", "/companies/{id}", "company-put"),
    route("GET", "/companies/{id}", "company-get"),
    route("GET", "/api/financials", "company-figures").with(Access::Figures),
    route("GET", "/api/sales", "company-figures").with(Access::Figures),
    route("GET", "/api/employee", "company-figures").with(Access::Figures),
    route("POST", "/jobs/settlement", "settlement-create"),
    route("GET", "/jobs", "job-list"),
    route("GET", "/jobs/{id}", "job-get"),
    route("POST", "/jobs/{id}/cancel", "job-cancel"),
    route("POST", "/jobs/{id}/retry", "job-retry"),
    route("GET", "/downloads/{file}", "download-get"),
    route("POST", "/scheduler/jobs", "task-create"),
    route("GET", "/scheduler/jobs", "task-list"),
    route("GET", "/scheduler/jobs/{id}", "task-get"),
    route("PUT", "/scheduler/jobs/{id}", "task-put"),
    route("DELETE", "/scheduler/jobs/{id}", "task-delete"),
    route("GET", "/scheduler/jobs/{id}/schedule", "schedule-get"),
    route("PUT", "/scheduler/jobs/{id}/schedule", "schedule-put"),
    route("DELETE", "/scheduler/jobs/{id}/schedule", "schedule-delete"),
    route("POST", "/scheduler/jobs/{id}/pause", "task-pause"),
    route("POST", "/scheduler/jobs/{id}/resume", "task-resume"),
    route("POST", "/scheduler/jobs/{id}/run", "task-run"),
    route("GET", "/scheduler/jobs/{id}/runs", "run-list"),
    route("POST", "/scheduler/preview", "schedule-preview"),
    route("GET", "/health", "health").with(Access::Open),
    route("GET", "/metrics", "metrics-get"),
    route("GET", "/openapi.yaml", "openapi-get").with(Access::Open),
    route("GET", "/docs", "openapi-get").with(Access::Open),
];

impl Route {
    /// The path is one of this route's.
    #[must_use]
    pub fn takes(&self, path: &str) -> bool {
        let mut parts = path.split('/');
        let fits = self.path.split('/').all(|own| {
            parts.next().is_some_and(|part| if own.starts_with('{') { !part.is_empty() } else { own == part })
        });
        fits && parts.next().is_none()
    }
}

/// Whether a function's endpoints ask for a token; what is no endpoint does not.
#[must_use]
pub fn access(function: &str) -> Access {
    ROUTES.iter().find(|route| route.function == function).map_or(Access::Open, |route| route.access)
}

/// Methods that this path takes, `GET, POST`; `None`: there is nothing at this path.
#[must_use]
pub fn allowed_methods(path: &str) -> Option<String> {
    let methods: Vec<_> = ROUTES.iter().filter(|route| route.takes(path)).map(|route| route.method).collect();
    (!methods.is_empty()).then(|| methods.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_or_reveals_money_or_schedules_asks_for_a_token() {
        for route in ROUTES {
            let open = ["/api/", "/docs", "/health", "/openapi.yaml", "/orders", "/test"]
                .iter()
                .any(|part| route.path.starts_with(part));
            assert_eq!(route.access == Access::Token, !open, "{route:?}");
            assert_eq!(access(route.function), route.access, "all endpoints of a function ask alike");
        }
        assert_eq!((access("route-unknown"), access("product-list")), (Access::Open, Access::Token));
    }

    #[test]
    fn a_path_is_known_by_its_parts() {
        assert_eq!(allowed_methods("/orders").as_deref(), Some("POST, GET"));
        assert_eq!(allowed_methods("/orders/7").as_deref(), Some("GET"));
        assert_eq!(allowed_methods("/companies/m").as_deref(), Some("PUT, GET"));
        assert_eq!(allowed_methods("/products/7/restock").as_deref(), Some("POST"));
        for unknown in ["/", "", "/order", "/orders/", "/orders/7/8", "/orders//cancel", "/products/7/restock/x"] {
            assert_eq!(allowed_methods(unknown), None, "{unknown}");
        }
    }
}
