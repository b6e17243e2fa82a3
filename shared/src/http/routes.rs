//! Every endpoint: the same list as in `template.yaml`, which a test holds against it.

/// A method and a path with `{name}` for its variable parts, and the function that serves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// `/orders/{id}`
    pub path: &'static str,
    /// Folder under `functions/`.
    pub function: &'static str,
}

const fn route(method: &'static str, path: &'static str, function: &'static str) -> Route {
    Route { method, path, function }
}

/// The endpoints.
pub const ROUTES: &[Route] = &[
    route("GET", "/api/verve/accept", "accept"),
    route("GET", "/api/verve/counts", "count-list"),
    route("POST", "/test", "callback-test"),
    route("POST", "/orders", "order-create"),
    route("GET", "/orders", "order-list"),
    route("GET", "/orders/{id}", "order-get"),
    route("POST", "/orders/{id}/cancel", "order-cancel"),
    route("POST", "/products", "product-create"),
    route("GET", "/products", "product-list"),
    route("GET", "/products/{id}", "product-get"),
    route("POST", "/products/{id}/restock", "product-restock"),
    route("PUT", "/companies/{id}", "company-put"),
    route("GET", "/companies/{id}", "company-get"),
    route("GET", "/api/financials", "company-figures"),
    route("GET", "/api/sales", "company-figures"),
    route("GET", "/api/employee", "company-figures"),
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
