//! Functions and what invokes them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

use super::{
    TemplateError,
    document::Resource,
    place::Place,
    scalar::{Number, Text},
    scope::{Scope, is_intrinsic},
};

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its logical id.
    pub id: String,
    /// Its program: `BuildProperties.Binary` of the metadata.
    pub program: String,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// Its memory, in MB.
    pub memory_mb: u32,
    /// Its environment variables, with those of all functions.
    pub environment: BTreeMap<String, String>,
    /// What invokes it.
    pub events: Vec<Event>,
}

/// What invokes a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Requests with a method and a path, such as `GET` and `/orders/{id}`.
    Http {
        /// The method, in upper case; `ANY` is all of them.
        method: String,
        /// The path, with its variables in braces.
        path: String,
    },
    /// Requests that no other route takes: `$default`.
    DefaultRoute,
    /// Messages of a queue.
    Queue {
        /// The logical id of the queue.
        queue: String,
        /// The number of messages that one invocation gets at most.
        batch_size: u32,
        /// The number of invocations at a time at most.
        max_concurrency: Option<u32>,
        /// Whether the response names the messages that failed. Otherwise all of a batch were
        /// processed, or none.
        reports_failures: bool,
    },
    /// Times.
    Schedule {
        /// `cron(…)` or `rate(…)`.
        expression: String,
    },
}

/// The members that are resolved. The others may use names that have no value here.
const RESOLVED: [&str; 3] = ["Environment", "MemorySize", "Timeout"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    #[serde(default)]
    environment: Environment,
    memory_size: Option<Number>,
    timeout: Option<Number>,
    #[serde(rename = "Architectures")]
    _architectures: Option<IgnoredAny>,
    #[serde(rename = "CodeUri")]
    _code_uri: Option<IgnoredAny>,
    #[serde(rename = "Description")]
    _description: Option<IgnoredAny>,
    #[serde(rename = "EventInvokeConfig")]
    _event_invoke_config: Option<IgnoredAny>,
    #[serde(rename = "Handler")]
    _handler: Option<IgnoredAny>,
    #[serde(rename = "LoggingConfig")]
    _logging_config: Option<IgnoredAny>,
    #[serde(rename = "Policies")]
    _policies: Option<IgnoredAny>,
    #[serde(rename = "Runtime")]
    _runtime: Option<IgnoredAny>,
    #[serde(rename = "Tracing")]
    _tracing: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Environment {
    #[serde(default)]
    variables: BTreeMap<String, Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Source {
    #[serde(rename = "Type")]
    kind: SourceType,
    #[serde(default)]
    properties: Map<String, Value>,
}

#[derive(Deserialize)]
enum SourceType {
    HttpApi,
    #[serde(rename = "SQS")]
    Sqs,
    Schedule,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Route {
    api_id: String,
    method: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Messages {
    queue: String,
    batch_size: Option<Number>,
    #[serde(default)]
    function_response_types: Vec<ResponseType>,
    scaling_config: Option<ScalingConfig>,
}

#[derive(PartialEq, Deserialize)]
enum ResponseType {
    ReportBatchItemFailures,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ScalingConfig {
    maximum_concurrency: Number,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Times {
    schedule: String,
    #[serde(rename = "Description")]
    _description: Option<IgnoredAny>,
}

/// Reads a function.
pub(super) fn read(
    id: &str,
    resource: &Resource,
    globals: &Map<String, Value>,
    scope: &Scope<'_>,
    place: &Place<'_>,
) -> Result<Function, TemplateError> {
    let program = resource.metadata.pointer("/BuildProperties/Binary").and_then(Value::as_str);
    let program = program.ok_or_else(|| {
        place.member("Metadata").invalid("BuildProperties.Binary must name the program")
    })?;
    let place = place.member("Properties");
    let mut properties = merge(globals, &resource.properties);
    let sources = properties.remove("Events");
    for name in RESOLVED {
        if let Some(value) = properties.remove(name)
            && let Some(value) = scope.resolve(&value, &place.member(name))?
        {
            properties.insert(name.to_owned(), value);
        }
    }
    let Properties { environment, memory_size, timeout, .. } = place.read(properties.into())?;
    let variables = environment.variables.into_iter();
    Ok(Function {
        id: id.to_owned(),
        program: program.to_owned(),
        // Lambda's defaults.
        timeout: Duration::from_secs(timeout.map_or(3, |Number(timeout)| timeout.into())),
        memory_mb: memory_size.map_or(128, |Number(memory)| memory),
        environment: variables.map(|(name, Text(value))| (name, value)).collect(),
        events: sources.map_or(Ok(Vec::new()), |sources| events(&sources, scope, &place))?,
    })
}

/// Merges the properties of a function into those of all functions, as SAM does: objects member by
/// member, lists one after the other. Intrinsic functions are replaced.
fn merge(globals: &Map<String, Value>, own: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = globals.clone();
    for (name, value) in own {
        let value = match (merged.remove(name), value) {
            (Some(Value::Object(global)), Value::Object(own))
                if !is_intrinsic(&global) && !is_intrinsic(own) =>
            {
                merge(&global, own).into()
            }
            (Some(Value::Array(global)), Value::Array(own)) => [&global[..], own].concat().into(),
            _ => value.clone(),
        };
        merged.insert(name.clone(), value);
    }
    merged
}

fn events(
    sources: &Value,
    scope: &Scope<'_>,
    place: &Place<'_>,
) -> Result<Vec<Event>, TemplateError> {
    let place = place.member("Events");
    let sources = sources.as_object().ok_or_else(|| place.invalid("must be an object"))?;
    let sources = scope.with_logical_ids().resolve_members(sources, &place)?;
    let sources = sources.into_iter().map(|(name, source)| {
        let place = place.member(&name);
        event(place.read(source)?, scope, &place)
    });
    sources.collect()
}

fn event(source: Source, scope: &Scope<'_>, place: &Place<'_>) -> Result<Event, TemplateError> {
    let place = place.member("Properties");
    let properties = source.properties.into();
    match source.kind {
        SourceType::HttpApi => http(place.read(properties)?, scope, &place),
        SourceType::Sqs => Ok(place.read::<Messages>(properties)?.into()),
        SourceType::Schedule => {
            let Times { schedule, .. } = place.read(properties)?;
            Ok(Event::Schedule { expression: schedule })
        }
    }
}

fn http(route: Route, scope: &Scope<'_>, place: &Place<'_>) -> Result<Event, TemplateError> {
    let Route { api_id, method, path } = route;
    let api = scope.resources.get(&api_id);
    if api.is_none_or(|api| api.kind != "AWS::Serverless::HttpApi") {
        return Err(place
            .member("ApiId")
            .invalid("must be the Ref of an AWS::Serverless::HttpApi"));
    }
    match (method, path) {
        (Some(method), Some(path)) => Ok(Event::Http { method: method.to_ascii_uppercase(), path }),
        (None, None) => Ok(Event::DefaultRoute),
        _ => Err(place.invalid("must have both Method and Path, or neither for `$default`")),
    }
}

impl From<Messages> for Event {
    fn from(messages: Messages) -> Self {
        let concurrency = messages.scaling_config.map(|scaling| scaling.maximum_concurrency);
        let response_types = messages.function_response_types;
        Self::Queue {
            queue: messages.queue,
            // Lambda's default.
            batch_size: messages.batch_size.map_or(10, |Number(size)| size),
            max_concurrency: concurrency.map(|Number(maximum)| maximum),
            reports_failures: response_types.contains(&ResponseType::ReportBatchItemFailures),
        }
    }
}
