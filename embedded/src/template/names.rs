//! The names of a stack's resources in a process.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use super::Names;

const ACCOUNT: &str = "000000000000";

/// The logical ids as names, within what the services allow. URLs of queues begin with that of the
/// process.
#[derive(Debug)]
pub struct LocalNames {
    stack: String,
    url: String,
    used: Mutex<BTreeSet<String>>,
}

impl LocalNames {
    /// The region in ARNs and signatures.
    pub const REGION: &str = "local";

    /// Makes the names of a stack with this name, in a process with this URL.
    #[must_use]
    pub fn new(stack: &str, url: &str) -> Self {
        Self { stack: stack.to_owned(), url: url.to_owned(), used: Mutex::default() }
    }

    /// Returns all names that were asked for.
    #[must_use]
    pub fn used(&self) -> BTreeSet<String> {
        self.used.lock().clone()
    }

    /// Returns the name of a bucket: lower case, as S3 requires.
    #[must_use]
    pub fn bucket(id: &str) -> String {
        let mut name = String::new();
        for letter in id.chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    fn remember(&self, name: String) -> String {
        self.used.lock().insert(name.clone());
        name
    }
}

impl Names for LocalNames {
    fn reference(&self, kind: &str, id: &str) -> Option<String> {
        Some(self.remember(match kind {
            "AWS::SQS::Queue" => format!("{}/{ACCOUNT}/{id}", self.url),
            "AWS::S3::Bucket" => Self::bucket(id),
            _ => id.to_owned(),
        }))
    }

    fn attribute(&self, kind: &str, id: &str, attribute: &str) -> Option<String> {
        let name = match (kind, attribute) {
            ("AWS::SQS::Queue", "QueueName") | ("AWS::SecretsManager::Secret", "Id") => {
                id.to_owned()
            }
            ("AWS::SQS::Queue", "Arn") => format!("arn:aws:sqs:{}:{ACCOUNT}:{id}", Self::REGION),
            _ => return None,
        };
        Some(self.remember(name))
    }

    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        let value = match name {
            "AWS::StackName" => &self.stack,
            "AWS::Region" => Self::REGION,
            "AWS::AccountId" => ACCOUNT,
            "AWS::Partition" => "aws",
            _ => return None,
        };
        Some(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_named_by_its_url_and_a_bucket_in_lower_case() {
        let names = LocalNames::new("stack", "http://127.0.0.1:9000");
        let reference = |kind, id| names.reference(kind, id).expect("a name");
        assert_eq!(
            reference("AWS::SQS::Queue", "CompanyQueue"),
            "http://127.0.0.1:9000/000000000000/CompanyQueue"
        );
        assert_eq!(reference("AWS::S3::Bucket", "SettlementBucket"), "settlement-bucket");
        assert_eq!(reference("AWS::DynamoDB::Table", "OrdersTable"), "OrdersTable");
    }
}
