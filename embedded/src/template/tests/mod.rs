//! Tests on small templates, and on the one of the program.

mod functions;
mod intrinsics;
mod parameters;
mod program;
mod resources;

use std::collections::BTreeMap;

use super::{Names, Stack, Template, TemplateError};

/// Names by type and logical id; functions, log groups and alarms have none.
struct TestNames;

impl Names for TestNames {
    fn reference(&self, kind: &str, logical_id: &str) -> Option<String> {
        match kind {
            "AWS::SQS::Queue" => Some(format!("http://queues/{logical_id}")),
            "AWS::DynamoDB::Table" | "AWS::S3::Bucket" | "AWS::Kinesis::Stream" => {
                Some(format!("{logical_id}-name"))
            }
            _ => None,
        }
    }

    fn attribute(&self, kind: &str, logical_id: &str, attribute: &str) -> Option<String> {
        (kind == "AWS::SecretsManager::Secret" && attribute == "Id")
            .then(|| format!("{logical_id}-secret"))
    }

    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        match name {
            "AWS::StackName" => Some("stack".into()),
            "AWS::Region" => Some("eu-west-1".into()),
            _ => None,
        }
    }
}

fn resolve_with(text: &str, parameters: &[(&str, &str)]) -> Result<Stack, TemplateError> {
    let parameters: BTreeMap<String, String> =
        parameters.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    Template::parse(text)?.resolve(&parameters, &TestNames)
}

fn resolve(text: &str) -> Stack {
    resolve_with(text, &[]).expect("the template is valid")
}

/// Returns why a template is refused.
fn refusal(text: &str) -> String {
    resolve_with(text, &[]).expect_err("the template is refused").to_string()
}

/// A function `Work` with these environment variables, and more resources and sections.
fn with_variables(variables: &str, more: &str) -> String {
    format!(
        "
Resources:
  Work:
    Type: AWS::Serverless::Function
    Metadata: {{ BuildProperties: {{ Binary: work }} }}
    Properties: {{ Environment: {{ Variables: {{ {variables} }} }} }}
{more}
"
    )
}
