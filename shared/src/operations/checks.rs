//! Runs the health checks.

use std::time::Duration;

use aws_sdk_s3::Client as S3;
use futures_util::future::try_join_all;
use serde::de::IgnoredAny;
use tracing::warn;

use super::{
    CheckError, Queue, Settings,
    health::{Check, Checks, Report},
    queues::Queues,
    with_deadline,
};
use crate::{
    aws::{Aws, ServiceError},
    dynamo::{get, keys},
    secret::{SecretError, SecretSource},
    time::Timestamp,
    webhook::Secrets,
};

/// Time limit of each check, the SDK's retries included: callers need the status promptly.
const DEADLINE: Duration = Duration::from_secs(1);

/// The health checks of a deployment, as run by one instance.
#[derive(Debug)]
pub struct Health {
    dynamo: aws_sdk_dynamodb::Client,
    tables: Vec<String>,
    queues: Queues,
    s3: S3,
    bucket: String,
    secrets: SecretSource<Secrets>,
    started: Timestamp,
}

impl Health {
    /// Creates the checks of the settings' resources. `started` is when this instance started.
    #[must_use]
    pub fn new(
        aws: &Aws,
        settings: &Settings,
        secrets: SecretSource<Secrets>,
        started: Timestamp,
    ) -> Self {
        let Settings { tables, queues, bucket, .. } = settings.clone();
        Self {
            dynamo: aws.dynamo(),
            tables,
            queues: Queues::new(aws.sqs(), queues, Vec::<Queue>::new()),
            s3: aws.s3(),
            bucket,
            secrets,
            started,
        }
    }

    /// Runs all checks concurrently, each for at most one second, and reports their results.
    pub async fn report(&self, now: Timestamp) -> Report {
        // Boxed: the futures of SDK calls are large, and all four are held at once.
        let (database, queues, files, webhook_secret) = tokio::join!(
            check("database", Box::pin(self.check_tables())),
            check("queues", Box::pin(self.queues.check())),
            check("files", Box::pin(self.check_bucket())),
            check("webhook_secret", Box::pin(self.check_secret(now))),
        );
        Report::new(
            Checks { database, queues, files, webhook_secret },
            now.since(self.started),
            now,
        )
    }

    /// Reads each table once, consistently: one read unit each.
    async fn check_tables(&self) -> Result<(), ServiceError> {
        let reads =
            self.tables.iter().map(|table| get::<IgnoredAny>(&self.dynamo, table, keys::nothing()));
        try_join_all(reads).await.map(drop)
    }

    async fn check_bucket(&self) -> Result<(), ServiceError> {
        self.s3.head_bucket().bucket(&self.bucket).send().await?;
        Ok(())
    }

    /// Reads the webhook secret, unless this instance has it in its cache.
    async fn check_secret(&self, now: Timestamp) -> Result<(), SecretError> {
        self.secrets.get(now).await.map(drop)
    }
}

async fn check<E>(name: &'static str, call: impl Future<Output = Result<(), E>>) -> Check
where
    CheckError: From<E>,
{
    match with_deadline(DEADLINE, call).await {
        Ok(()) => Check::Healthy,
        Err(cause) => {
            warn!(check = name, %cause, "Health check failed");
            Check::Unhealthy
        }
    }
}
