//! From a method and a path to a function.

use std::{collections::BTreeMap, time::Instant};

use once::routes::{self, Endpoint, Route};
use parking_lot::Mutex;

use super::rate_limit::{Rates, TokenBucket};

/// The routes of [`once::routes`], each with its rate limit, and the route `$default`.
#[derive(Debug)]
pub(super) struct Router {
    routes: Vec<ServedRoute>,
    default: ServedRoute,
}

/// A route with the function behind it.
#[derive(Debug)]
pub(super) struct ServedRoute {
    /// `None` for `$default`.
    route: Option<Route>,
    key: String,
    function: &'static str,
    bucket: Mutex<TokenBucket>,
}

impl Router {
    pub(super) fn new(rates: &Rates, now: Instant) -> Self {
        let served = |route: Option<Route>, endpoint: &Endpoint| ServedRoute {
            route,
            key: route.map_or_else(
                || "$default".to_owned(),
                |route| format!("{} {}", route.method, route.path),
            ),
            function: endpoint.function,
            bucket: Mutex::new(TokenBucket::new(rates.of(endpoint.rate), now)),
        };
        Self {
            routes: routes::routes().map(|(route, row)| served(Some(route), row)).collect(),
            default: served(None, &routes::FALLBACK),
        }
    }

    /// Returns the route of a decoded path, `$default` where none matches.
    pub(super) fn route(&self, method: &str, path: &str) -> &ServedRoute {
        let matches = |route: Route| route.method == method && route.matches(path);
        let found = self.routes.iter().find(|served| served.route.is_some_and(matches));
        found.unwrap_or(&self.default)
    }
}

impl ServedRoute {
    /// `GET /orders/{id}`, or `$default`.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn function(&self) -> &'static str {
        self.function
    }

    /// Whether the rate limit admits one more request now.
    pub(super) fn admits(&self, now: Instant) -> bool {
        self.bucket.lock().take(now)
    }

    /// Returns the variable segments of a path of this route, by name.
    pub(super) fn parameters<'a>(&self, path: &'a str) -> BTreeMap<&'static str, &'a str> {
        let pattern = self.route.map_or("", |route| route.path);
        let segments = pattern.split('/').zip(path.split('/'));
        segments
            .filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value)))
            .collect()
    }
}
