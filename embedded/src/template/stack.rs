//! Stacks: what a template has, resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Api, Bucket, Event, Function, Names, Parameter, Secret, Table, Template, TemplateError, api,
    bucket, condition, document::Resource, function, parameter, place::Place, queue, scope::Scope,
    secret, table,
};
use crate::queues::Queue;

/// The types of resources that nothing in a process needs: they watch, or allow what a process
/// may do anyway.
const UNUSED: [&str; 7] = [
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::Role",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
];

/// What a template has, resolved with parameters and names. Everything is sorted by logical id or
/// name, and refers to resources by their logical ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stack {
    /// The functions.
    pub functions: Vec<Function>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The queues, named by their logical ids.
    pub queues: Vec<Queue>,
    /// The buckets.
    pub buckets: Vec<Bucket>,
    /// The logical ids of the streams.
    pub streams: Vec<String>,
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// The API. A template has one at most.
    pub api: Option<Api>,
    /// The parameters with their values.
    pub parameters: Vec<Parameter>,
}

/// Resolves a template.
pub(super) fn assemble(
    template: &Template,
    given: &BTreeMap<String, String>,
    names: &dyn Names,
) -> Result<Stack, TemplateError> {
    let parameters = parameter::resolve(&template.parameters, given)?;
    let values = parameters.iter().map(|each| (each.name.clone(), each.reference())).collect();
    let (conditions, resources) = (BTreeMap::new(), BTreeMap::new());
    let scope =
        Scope { parameters: &values, conditions: &conditions, resources: &resources, names };
    let conditions = condition::evaluate(&template.conditions, &scope)?;
    let scope = Scope { conditions: &conditions, resources: &template.resources, ..scope };

    let mut stack = Stack { parameters, ..Stack::default() };
    for (id, resource) in &template.resources {
        if scope.includes(resource) {
            stack.add(id, resource, template, &scope)?;
        }
    }
    stack.check_events()?;
    stack.check_throttles()?;
    Ok(stack)
}

impl Stack {
    fn add(
        &mut self,
        id: &str,
        resource: &Resource,
        template: &Template,
        scope: &Scope<'_>,
    ) -> Result<(), TemplateError> {
        let section = Place::section("Resources");
        let place = section.member(id);
        match resource.kind.as_str() {
            "AWS::Serverless::Function" => {
                let globals = &template.globals.function;
                self.functions.push(function::read(id, resource, globals, scope, &place)?);
            }
            "AWS::DynamoDB::Table" => self.tables.push(table::read(id, resource, scope, &place)?),
            "AWS::SQS::Queue" => self.queues.push(queue::read(id, resource, scope, &place)?),
            "AWS::S3::Bucket" => self.buckets.push(bucket::read(id, resource, scope, &place)?),
            "AWS::Kinesis::Stream" => self.streams.push(id.to_owned()),
            "AWS::SecretsManager::Secret" => {
                self.secrets.push(secret::read(id, resource, scope, &place)?);
            }
            "AWS::Serverless::HttpApi" if self.api.is_some() => {
                return Err(place.invalid("a stack has one API at most"));
            }
            "AWS::Serverless::HttpApi" => self.api = Some(api::read(id, resource, scope, &place)?),
            kind if UNUSED.contains(&kind) => {}
            kind => return Err(place.member("Type").invalid(format!("unknown type `{kind}`"))),
        }
        Ok(())
    }

    /// Checks that the queue of each event is in the stack.
    fn check_events(&self) -> Result<(), TemplateError> {
        for function in &self.functions {
            for event in &function.events {
                if let Event::Queue { queue, .. } = event
                    && !self.queues.iter().any(|each| each.name == *queue)
                {
                    let resources = Place::section("Resources");
                    let reason = format!("the queue of an event is `{queue}`: no such queue");
                    return Err(resources.member(&function.id).invalid(reason));
                }
            }
        }
        Ok(())
    }

    /// Checks that each throttled route is one of a function: API Gateway refuses others.
    fn check_throttles(&self) -> Result<(), TemplateError> {
        let Some(api) = &self.api else { return Ok(()) };
        let events = self.functions.iter().flat_map(|function| &function.events);
        let routes: BTreeSet<String> = events
            .filter_map(|event| match event {
                Event::Http { method, path } => Some(format!("{method} {path}")),
                Event::DefaultRoute => Some("$default".to_owned()),
                Event::Queue { .. } | Event::Schedule { .. } => None,
            })
            .collect();
        match api.route_throttles.keys().find(|route| !routes.contains(*route)) {
            Some(route) => {
                let resources = Place::section("Resources");
                let api = resources.member(&api.id);
                Err(api.invalid(format!("RouteSettings: no function has the route `{route}`")))
            }
            None => Ok(()),
        }
    }
}

/// Resolves and reads all properties of a resource.
pub(super) fn read_properties<T: serde::de::DeserializeOwned>(
    resource: &Resource,
    scope: &Scope<'_>,
    place: &Place<'_>,
) -> Result<T, TemplateError> {
    let place = place.member("Properties");
    place.read(Value::Object(scope.resolve_members(&resource.properties, &place)?))
}
