//! SAM templates, read for services in the process.
//!
//! A [`Template`] is resolved with the values of its parameters and with the [`Names`] of its
//! resources to a [`Stack`]: typed, plain data. What the reader does not know is an error that
//! names it and its place: a type of resource, a property, an intrinsic function, a member of a
//! parameter. Known and without effect in a process are alarms, dashboards, log groups, policies
//! and permissions, encryption, backups, how functions are built and deployed, and the retries of
//! scheduled invocations (`EventInvokeConfig`).
//!
//! Properties are resolved only where a [`Stack`] has them: a policy or a dashboard may use
//! functions and attributes that have no value here.
//!
//! | file | what it holds |
//! |---|---|
//! | `yaml` | YAML with tags to JSON in the long form of intrinsic functions |
//! | `document` | the sections of a template |
//! | `parameter` | parameters, their checks and values |
//! | `scope`, `condition` | intrinsic functions and conditions |
//! | `names` | names for resources in a process |
//! | `scalar`, `place`, `error` | texts and numbers, places, errors |
//! | `stack` | the stack and its assembly |
//! | `function`, `table`, `queue`, `bucket`, `secret`, `api` | one type of resource each |

mod api;
mod bucket;
mod condition;
mod document;
mod error;
mod function;
mod names;
mod parameter;
mod place;
mod queue;
mod scalar;
mod scope;
mod secret;
mod stack;
mod table;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;

pub use self::{
    api::{Api, Cors, Throttle},
    bucket::{Bucket, Expiration},
    document::Template,
    error::TemplateError,
    function::{Event, Function},
    names::LocalNames,
    parameter::{Parameter, ParameterType},
    secret::Secret,
    stack::Stack,
    table::Table,
};

/// The physical names that `Ref` and `Fn::GetAtt` resolve to. `None` is an error at the place of
/// the reference.
pub trait Names {
    /// Returns the `Ref` of a resource: `kind` is its type, such as `AWS::SQS::Queue`.
    fn reference(&self, kind: &str, logical_id: &str) -> Option<String>;

    /// Returns an attribute of a resource, such as `Arn`.
    fn attribute(&self, kind: &str, logical_id: &str, attribute: &str) -> Option<String>;

    /// Returns a pseudo parameter, such as `AWS::Region`. `AWS::NoValue` is not one of them: it
    /// removes its member.
    fn pseudo_parameter(&self, name: &str) -> Option<String>;
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        document::read(yaml::parse(text)?)
    }

    /// Checks the values of parameters, fills in defaults, and resolves the resources. Resources
    /// whose condition is false are left out.
    pub fn resolve(
        &self,
        parameters: &BTreeMap<String, String>,
        names: &dyn Names,
    ) -> Result<Stack, TemplateError> {
        stack::assemble(self, parameters, names)
    }
}
