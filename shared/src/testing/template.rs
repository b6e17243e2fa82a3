//! `template.yaml`, parsed for tests and for the tables of a [`Cloud`](super::Cloud).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use embedded::template::{self, LocalNames, Stack};
use serde::Deserialize;
use serde_json::Value;

use super::TOKEN;
use crate::access::Tokens;

/// The URL with which the URLs of queues begin.
pub(super) const URL: &str = "http://localhost";

/// Returns the resources of the template, with the defaults of its parameters and the token
/// [`TOKEN`].
#[must_use]
pub fn stack() -> &'static Stack {
    // Resolved once for all tests of a program.
    static STACK: LazyLock<Stack> = LazyLock::new(|| {
        let text = fs::read_to_string(root().join("template.yaml")).expect("template.yaml");
        let token = ("AdminTokenSha256".to_owned(), Tokens::hash(TOKEN));
        let template = template::Template::parse(&text).expect("a template");
        template.resolve(&[token].into(), &LocalNames::new("once", URL)).expect("a stack")
    });
    &STACK
}

/// Returns the root folder of the project.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("shared/ is in the project").to_owned()
}

/// The SAM template. Only the arguments of intrinsic functions (`!Ref`, `!Sub` …) are kept.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Template {
    parameters: Value,
    globals: Value,
    resources: BTreeMap<String, Resource>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    properties: Value,
}

/// A Lambda function of the template.
#[derive(Debug, Clone, Copy)]
pub struct Function<'a> {
    /// The logical id, `OrderCreate`.
    pub id: &'a str,
    /// The program, `order-create`.
    pub program: &'a str,
    /// The properties.
    pub properties: &'a Value,
}

impl Template {
    /// Loads the template of this checkout.
    #[must_use]
    pub fn load() -> Self {
        let text = fs::read_to_string(root().join("template.yaml"))
            .expect("template.yaml is in the root folder");
        serde_saphyr::from_str(&text).expect("template.yaml is YAML")
    }

    /// Returns the logical ids and the properties of all resources of a type.
    pub fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.resources
            .iter()
            .filter(move |(_, found)| found.kind == kind)
            .map(|(id, found)| (id.as_str(), &found.properties))
    }

    /// Returns all Lambda functions.
    ///
    /// # Panics
    /// If a function does not name its program.
    pub fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        let functions =
            self.resources.iter().filter(|(_, found)| found.kind == "AWS::Serverless::Function");
        functions.map(|(id, function)| {
            let program = function.metadata["BuildProperties"]["Binary"].as_str();
            let program = program.unwrap_or_else(|| panic!("{id}: no BuildProperties.Binary"));
            Function { id, program, properties: &function.properties }
        })
    }

    /// Returns the parameters.
    #[must_use]
    pub fn parameters(&self) -> &Value {
        &self.parameters
    }

    /// Returns the defaults of the resources (`Globals`).
    #[must_use]
    pub fn globals(&self) -> &Value {
        &self.globals
    }
}
