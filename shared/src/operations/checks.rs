//! Asking what everything stands on whether it is there.

use std::time::{Duration, Instant};

use aws_sdk_s3::Client as S3;
use futures_util::future::try_join_all;
use serde::de::IgnoredAny;
use tracing::warn;

use super::{
    CheckError, QueueName, Settings,
    health::{Check, Checks, Report},
    queues::Queues,
    within,
};
use crate::{
    aws::{Aws, ServiceError},
    dynamo::{get, keys},
    time::Timestamp,
    webhook::{SecretError, SecretSource},
};

/// How long each check may take, retries included. Whoever asks wants to know it now.
const DEADLINE: Duration = Duration::from_secs(1);

/// What is asked, and since when this instance has run.
#[derive(Debug)]
pub struct Health {
    dynamo: aws_sdk_dynamodb::Client,
    tables: Vec<String>,
    queues: Queues,
    s3: S3,
    bucket: String,
    secrets: SecretSource,
    began: Instant,
}

impl Health {
    /// Over the settings' services.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings, secrets: SecretSource, began: Instant) -> Self {
        let Settings { tables, queues, bucket, .. } = settings.clone();
        Self {
            dynamo: aws.dynamo(),
            tables,
            queues: Queues::new(aws.sqs(), queues, Vec::<QueueName>::new()),
            s3: aws.s3(),
            bucket,
            secrets,
            began,
        }
    }

    /// Asks all at the same time, for a second at most.
    pub async fn report(&self, now: Timestamp) -> Report {
        // On the heap: a call of the SDK is large, and these stand side by side.
        let (database, queues, files, webhook_secret) = tokio::join!(
            check("database", Box::pin(self.tables_answer())),
            check("queues", Box::pin(self.queues.answer())),
            check("files", Box::pin(self.bucket_answers())),
            check("webhook_secret", Box::pin(self.secret_is_there())),
        );
        Report::new(Checks { database, queues, files, webhook_secret }, self.began.elapsed(), now)
    }

    /// One consistent read of each table: one read unit each.
    async fn tables_answer(&self) -> Result<(), ServiceError> {
        let reads =
            self.tables.iter().map(|table| get::<IgnoredAny>(&self.dynamo, table, keys::nothing()));
        try_join_all(reads).await.map(drop)
    }

    async fn bucket_answers(&self) -> Result<(), ServiceError> {
        self.s3.head_bucket().bucket(&self.bucket).send().await?;
        Ok(())
    }

    /// As long as an instance remembers it, it does not ask for it again.
    async fn secret_is_there(&self) -> Result<(), SecretError> {
        self.secrets.secrets().await.map(drop)
    }
}

async fn check<E>(name: &'static str, asked: impl Future<Output = Result<(), E>>) -> Check
where
    CheckError: From<E>,
{
    match within(DEADLINE, asked).await {
        Ok(()) => Check::Healthy,
        Err(cause) => {
            warn!(check = name, %cause, "A check failed");
            Check::Unhealthy
        }
    }
}
