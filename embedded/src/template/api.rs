//! HTTP APIs.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use super::{
    TemplateError, document::Resource, place::Place, scalar::Number, scope::Scope,
    stack::read_properties,
};

/// An HTTP API. Its routes are the events of the functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Its logical id.
    pub id: String,
    /// Which pages may call it from a browser; `None` for no page of another origin.
    pub cors: Option<Cors>,
    /// The rate limit of each route without one of its own.
    pub default_throttle: Option<Throttle>,
    /// The rate limits of routes, by route key, such as `POST /orders`.
    pub route_throttles: BTreeMap<String, Throttle>,
}

/// Which pages of other origins may call an API from a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// The origins of the pages; `*` is all of them.
    pub allow_origins: Vec<String>,
    /// The methods that they may use.
    pub allow_methods: Vec<String>,
    /// The request headers that they may send.
    pub allow_headers: Vec<String>,
    /// The response headers that they may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may keep this answer, in seconds; `None` leaves it to the browser.
    pub max_age_s: Option<u32>,
}

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Requests per second.
    pub rate: u32,
    /// Requests at once.
    pub burst: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    cors_configuration: Option<CorsConfiguration>,
    default_route_settings: Option<RouteSettings>,
    #[serde(default)]
    route_settings: BTreeMap<String, RouteSettings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CorsConfiguration {
    #[serde(default)]
    allow_origins: Vec<String>,
    #[serde(default)]
    allow_methods: Vec<String>,
    #[serde(default)]
    allow_headers: Vec<String>,
    #[serde(default)]
    expose_headers: Vec<String>,
    max_age: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RouteSettings {
    throttling_rate_limit: Number,
    throttling_burst_limit: Number,
    #[serde(rename = "DetailedMetricsEnabled")]
    _metrics: Option<IgnoredAny>,
}

/// Reads an API.
pub(super) fn read(
    id: &str,
    resource: &Resource,
    scope: &Scope<'_>,
    place: &Place<'_>,
) -> Result<Api, TemplateError> {
    let properties: Properties = read_properties(resource, scope, place)?;
    let throttles = properties.route_settings.into_iter();
    Ok(Api {
        id: id.to_owned(),
        cors: properties.cors_configuration.map(Cors::from),
        default_throttle: properties.default_route_settings.map(Throttle::from),
        route_throttles: throttles.map(|(route, settings)| (route, settings.into())).collect(),
    })
}

impl From<CorsConfiguration> for Cors {
    fn from(configuration: CorsConfiguration) -> Self {
        Self {
            allow_origins: configuration.allow_origins,
            allow_methods: configuration.allow_methods,
            allow_headers: configuration.allow_headers,
            expose_headers: configuration.expose_headers,
            max_age_s: configuration.max_age.map(|Number(seconds)| seconds),
        }
    }
}

impl From<RouteSettings> for Throttle {
    fn from(settings: RouteSettings) -> Self {
        let Number(rate) = settings.throttling_rate_limit;
        let Number(burst) = settings.throttling_burst_limit;
        Self { rate, burst }
    }
}
