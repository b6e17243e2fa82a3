//! [`Files`]: the objects of settlements in S3, which are the parts (sums of each batch) and the
//! reports (finished files).

use std::time::Duration;

use aws_sdk_s3::{
    Client,
    error::ProvideErrorMetadata,
    operation::get_object::builders::GetObjectFluentBuilder,
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use uuid::Uuid;

use super::{
    job::{JobId, PlanRef},
    message::BatchId,
};
use crate::aws::ServiceError;

/// Media type of all objects.
pub const CSV: &str = "text/csv; charset=utf-8; header=present";

/// Returns the key of a part, `parts/<job>/<plan>/<date>/<shard>/<number>.csv`. Parts expire by a
/// lifecycle rule of the bucket.
pub fn part_key(plan: PlanRef, batch: BatchId) -> String {
    let BatchId { day, shard, number } = batch;
    format!("parts/{}/{}/{day}/{shard}/{number:06}.csv", plan.job, plan.id)
}

/// Returns the key of a report, `reports/<job>/<plan>.csv`.
pub fn report_key(job: JobId, plan: Uuid) -> String {
    format!("reports/{job}/{plan}.csv")
}

/// The bucket.
#[derive(Debug)]
pub struct Files {
    client: Client,
    bucket: String,
}

/// A multipart upload: its file exists only once it is completed.
#[derive(Debug)]
pub struct Upload<'a> {
    files: &'a Files,
    key: String,
    id: String,
    parts: Vec<CompletedPart>,
}

impl Files {
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Writes a file, or overwrites it.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), ServiceError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(CSV);
        put.body(ByteStream::from(bytes)).send().await?;
        Ok(())
    }

    /// Reads a whole file. `None`: it does not exist, or has expired.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ServiceError> {
        match self.read(key).send().await {
            Ok(object) => {
                Ok(Some(object.body.collect().await.map_err(ServiceError::transient)?.to_vec()))
            }
            Err(error) if error.code() == Some("NoSuchKey") => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns a presigned link that downloads a file with this `Content-Disposition`; it needs no
    /// other authorization.
    pub async fn link(
        &self,
        key: &str,
        disposition: &str,
        valid: Duration,
    ) -> Result<String, ServiceError> {
        let valid = PresigningConfig::expires_in(valid).map_err(ServiceError::permanent)?;
        let read =
            self.read(key).response_content_disposition(disposition).response_content_type(CSV);
        Ok(read.presigned(valid).await?.uri().to_owned())
    }

    fn read(&self, key: &str) -> GetObjectFluentBuilder {
        self.client.get_object().bucket(&self.bucket).key(key)
    }

    /// Begins a multipart upload.
    pub async fn upload(&self, key: String) -> Result<Upload<'_>, ServiceError> {
        let create =
            self.client.create_multipart_upload().bucket(&self.bucket).key(&key).content_type(CSV);
        let id = create.send().await?.upload_id.unwrap_or_default();
        Ok(Upload { files: self, key, id, parts: Vec::new() })
    }
}

impl Upload<'_> {
    /// Writes the next part: at least 5 MB unless it is the last one.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<(), ServiceError> {
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let part = self
            .files
            .client
            .upload_part()
            .bucket(&self.files.bucket)
            .key(&self.key)
            .upload_id(&self.id);
        let written = part.part_number(number).body(ByteStream::from(bytes)).send().await?;
        self.parts
            .push(CompletedPart::builder().part_number(number).set_e_tag(written.e_tag).build());
        Ok(())
    }

    /// Assembles the file from its parts.
    pub async fn complete(self) -> Result<(), ServiceError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts)).build();
        let complete = self.files.client.complete_multipart_upload().bucket(&self.files.bucket);
        complete.key(&self.key).upload_id(&self.id).multipart_upload(parts).send().await?;
        Ok(())
    }

    /// Drops the parts. A lifecycle rule of the bucket drops those of a process that died.
    pub async fn abort(self) -> Result<(), ServiceError> {
        let abort = self.files.client.abort_multipart_upload().bucket(&self.files.bucket);
        abort.key(&self.key).upload_id(&self.id).send().await?;
        Ok(())
    }
}
