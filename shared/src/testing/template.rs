//! `template.yaml`, read for what tests and tables take from it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

/// The project's top folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("shared lies in the project").to_owned()
}

/// The SAM template. Of an intrinsic function (`!Ref`, `!Sub` …) only the argument is kept.
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
    /// `OrderCreate`
    pub id: &'a str,
    /// `order-create`
    pub program: &'a str,
    /// Its properties.
    pub properties: &'a Value,
}

impl Template {
    /// The one of this checkout.
    #[must_use]
    pub fn load() -> Self {
        let text = fs::read_to_string(root().join("template.yaml"))
            .expect("template.yaml is in the top folder");
        serde_saphyr::from_str(&text).expect("template.yaml is YAML")
    }

    /// The properties of every resource of a type, by logical id.
    pub fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.resources
            .iter()
            .filter(move |(_, found)| found.kind == kind)
            .map(|(id, found)| (id.as_str(), &found.properties))
    }

    /// Every function, by logical id.
    ///
    /// # Panics
    /// If one does not name its program.
    pub fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        let functions =
            self.resources.iter().filter(|(_, found)| found.kind == "AWS::Serverless::Function");
        functions.map(|(id, function)| {
            let program = function.metadata["BuildProperties"]["Binary"].as_str();
            let program = program.unwrap_or_else(|| panic!("{id}: no BuildProperties.Binary"));
            Function { id, program, properties: &function.properties }
        })
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> &Value {
        &self.parameters
    }

    /// What holds for all resources of a kind that do not say otherwise.
    #[must_use]
    pub fn globals(&self) -> &Value {
        &self.globals
    }

    /// The requests that create the template's tables under the names `name` gives their logical ids.
    pub fn create_table_requests(&self, name: impl Fn(&str) -> String) -> Vec<Value> {
        const OF_A_REQUEST: [&str; 4] =
            ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"];
        self.resources("AWS::DynamoDB::Table")
            .map(|(id, properties)| {
                let mut request = properties.clone();
                request
                    .as_object_mut()
                    .expect("a table has properties")
                    .retain(|key, _| OF_A_REQUEST.contains(&key.as_str()));
                request["TableName"] = name(id).into();
                request
            })
            .collect()
    }
}
