//! The names of the template's resources in this process.

use std::collections::BTreeSet;

use embedded::template::Names;
use parking_lot::Mutex;

/// The region in ARNs and signatures.
pub(crate) const REGION: &str = "local";

const ACCOUNT: &str = "000000000000";

/// Names that begin with the URL at which the process serves its services.
#[derive(Debug)]
pub(crate) struct LocalNames {
    endpoint: String,
    used: Mutex<BTreeSet<String>>,
}

impl LocalNames {
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), used: Mutex::default() }
    }

    /// Returns all names that were asked for.
    pub(crate) fn used(&self) -> BTreeSet<String> {
        self.used.lock().clone()
    }

    fn remember(&self, name: String) -> String {
        self.used.lock().insert(name.clone());
        name
    }
}

impl Names for LocalNames {
    fn reference(&self, kind: &str, id: &str) -> Option<String> {
        Some(self.remember(match kind {
            "AWS::SQS::Queue" => format!("{}/{ACCOUNT}/{id}", self.endpoint),
            "AWS::S3::Bucket" => bucket(id),
            _ => id.to_owned(),
        }))
    }

    fn attribute(&self, kind: &str, id: &str, attribute: &str) -> Option<String> {
        let name = match (kind, attribute) {
            ("AWS::SQS::Queue", "QueueName") | ("AWS::SecretsManager::Secret", "Id") => {
                id.to_owned()
            }
            ("AWS::SQS::Queue", "Arn") => format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{id}"),
            _ => return None,
        };
        Some(self.remember(name))
    }

    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        let value = match name {
            "AWS::StackName" => "once",
            "AWS::Region" => REGION,
            "AWS::AccountId" => ACCOUNT,
            "AWS::Partition" => "aws",
            _ => return None,
        };
        Some(value.to_owned())
    }
}

/// Returns the name of a bucket: lower case, as S3 requires.
pub(crate) fn bucket(id: &str) -> String {
    let mut name = String::new();
    for letter in id.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_named_by_its_url_and_a_bucket_in_lower_case() {
        let names = LocalNames::new("http://127.0.0.1:9000");
        let reference = |kind, id| names.reference(kind, id).expect("a name");
        assert_eq!(
            reference("AWS::SQS::Queue", "CompanyQueue"),
            "http://127.0.0.1:9000/000000000000/CompanyQueue"
        );
        assert_eq!(reference("AWS::S3::Bucket", "SettlementBucket"), "settlement-bucket");
        assert_eq!(reference("AWS::DynamoDB::Table", "OrdersTable"), "OrdersTable");
    }
}
