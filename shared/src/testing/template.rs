//! `template.yaml`, parsed for tests and for the tables of a [`Cloud`](super::Cloud).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

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

    /// Returns the `CreateTable` requests of the template's tables. `name` maps logical ids to
    /// table names.
    pub fn create_table_requests(&self, name: impl Fn(&str) -> String) -> Vec<Value> {
        const MEMBERS: [&str; 4] =
            ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"];
        self.resources("AWS::DynamoDB::Table")
            .map(|(id, properties)| {
                let mut request = properties.clone();
                request
                    .as_object_mut()
                    .expect("a table has properties")
                    .retain(|key, _| MEMBERS.contains(&key.as_str()));
                request["TableName"] = name(id).into();
                request
            })
            .collect()
    }
}
