//! What the template and the environment set.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    time::Duration,
};

use embedded::template::{Api, Function, Stack, Throttle};
use once::routes::{RateClass, routes};

use crate::front::{Cors, Limits, Rate, Rates, Settings, Timeouts};

/// Functions that have different values for a variable. In one process they share it.
#[derive(Debug, thiserror::Error)]
#[error("template.yaml: {variable} is `{first}` and `{second}`: one process needs one value")]
pub(crate) struct AmbiguousVariable {
    variable: String,
    first: String,
    second: String,
}

/// What the template does not set.
#[derive(Debug, thiserror::Error)]
#[error("template.yaml: {0} is missing")]
pub(crate) struct MissingSetting(&'static str);

/// Returns the variables of all functions. The environment of the process overrides those that do
/// not name a resource: the resources are those of the process.
pub(crate) fn variables(
    functions: &[Function],
    resources: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>, AmbiguousVariable> {
    let mut variables = BTreeMap::<String, String>::new();
    for (variable, value) in functions.iter().flat_map(|function| &function.environment) {
        if let Some(first) = variables.insert(variable.clone(), value.clone())
            && first != *value
        {
            let (variable, second) = (variable.clone(), value.clone());
            return Err(AmbiguousVariable { variable, first, second });
        }
    }
    for (variable, value) in &mut variables {
        if !resources.contains(value)
            && let Ok(given) = env::var(variable)
        {
            *value = given;
        }
    }
    Ok(variables)
}

/// Returns the settings of the front: those of the API, and the quotas of API Gateway.
pub(crate) fn front(stack: &Stack) -> Result<Settings, MissingSetting> {
    let api = stack.api.as_ref().ok_or(MissingSetting("an API"))?;
    let cors = api.cors.as_ref().ok_or(MissingSetting("CORS"))?;
    let default = api.default_throttle.as_ref().ok_or(MissingSetting("a default throttle"))?;
    Ok(Settings {
        cors: Cors {
            allow_origins: cors.allow_origins.clone(),
            allow_methods: cors.allow_methods.clone(),
            allow_headers: cors.allow_headers.clone(),
            expose_headers: cors.expose_headers.clone(),
            max_age: Duration::from_secs(cors.max_age_s.unwrap_or_default().into()),
        },
        rates: Rates {
            default: rate(*default),
            accept: class(api, RateClass::Accept)?,
            orders: class(api, RateClass::Orders)?,
        },
        limits: Limits::default(),
        timeouts: Timeouts::default(),
    })
}

/// Returns the rate of a class: that of any of its routes, since a test holds them equal.
fn class(api: &Api, class: RateClass) -> Result<Rate, MissingSetting> {
    let route = routes().find(|(_, row)| row.rate == class).map(|(route, _)| route);
    let key = route.map(|route| format!("{} {}", route.method, route.path)).unwrap_or_default();
    api.route_throttles
        .get(&key)
        .copied()
        .map(rate)
        .ok_or(MissingSetting("the throttle of a route"))
}

fn rate(throttle: Throttle) -> Rate {
    Rate { per_second: throttle.rate, burst: throttle.burst }
}
