//! The real client of the SDK.

use std::{fs, sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    config::{Builder, RequestChecksumCalculation},
    error::{ProvideErrorMetadata, SdkError},
    operation::list_objects_v2::ListObjectsV2Output,
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{
        ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, EncodingType,
    },
};
use http::{Request, StatusCode};
use parking_lot::Mutex;

use super::*;
use crate::testing::{Folder, InProcess, sdk_config, time};

const KEY: &str = "2026-01/fees of a+b & c=d ä.csv";

mod links;
mod objects;
mod uploads;

/// A bucket, its client, and the last request that the client sent.
struct Service {
    folder: Folder,
    files: Files,
    s3: Client,
    last_request: Arc<Mutex<Option<Request<Bytes>>>>,
}

fn service() -> Service {
    service_with(RequestChecksumCalculation::WhenSupported)
}

fn service_with(checksums: RequestChecksumCalculation) -> Service {
    let folder = Folder::new();
    let (access_key_id, secret_access_key) = ("id".to_owned(), "secret".to_owned());
    let credentials = Credentials { access_key_id, secret_access_key };
    let bucket = "files".to_owned();
    let settings = Settings { bucket, max_content_bytes: 6 * 1_024 * 1_024, credentials };
    let files = Files::open(&folder, settings).expect("a bucket");
    let (service, last_request) = (files.clone(), Arc::new(Mutex::new(None)));
    let last = last_request.clone();
    let client = InProcess::new(move |request: Request<Bytes>| {
        *last.lock() = Some(request.clone());
        let service = service.clone();
        async move { service.respond(request, time(0)).await }
    });
    let config = Builder::from(&sdk_config(client))
        .force_path_style(true)
        .request_checksum_calculation(checksums)
        .build();
    Service { folder, files, s3: Client::from_conf(config), last_request }
}

/// Returns S3's error code and the status.
fn code<E: ProvideErrorMetadata>(
    error: &SdkError<E, aws_sdk_s3::config::http::HttpResponse>,
) -> (String, u16) {
    let status = error.raw_response().expect("a response").status().as_u16();
    (error.code().unwrap_or_default().to_owned(), status)
}

fn known(code: &str, status: u16) -> (String, u16) {
    (code.to_owned(), status)
}

impl Service {
    async fn put(&self, content: &'static [u8]) -> String {
        let put = self.s3.put_object().bucket("files").key(KEY);
        let put = put.body(ByteStream::from_static(content)).send().await.expect("written");
        put.e_tag.expect("an ETag")
    }

    async fn get(&self) -> Bytes {
        let get = self.s3.get_object().bucket("files").key(KEY).send().await.expect("an object");
        get.body.collect().await.expect("content").into_bytes()
    }

    async fn upload(&self, id: &str, number: i32, content: Vec<u8>) -> CompletedPart {
        let part = self.s3.upload_part().bucket("files").key(KEY).upload_id(id).part_number(number);
        let stored = part.body(ByteStream::from(content)).send().await.expect("a part");
        CompletedPart::builder().part_number(number).set_e_tag(stored.e_tag).build()
    }

    async fn create_upload(&self) -> String {
        let create = self.s3.create_multipart_upload().bucket("files").key(KEY);
        let create = create.content_type("text/csv").send().await.expect("created");
        create.upload_id.expect("an id")
    }

    async fn complete(&self, id: &str, parts: &[&CompletedPart]) -> Result<String, (String, u16)> {
        let parts = parts.iter().map(|part| (*part).clone()).collect();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = self.s3.complete_multipart_upload().bucket("files").key(KEY).upload_id(id);
        let completed = complete.multipart_upload(parts).send().await;
        completed.map(|done| done.e_tag.expect("an ETag")).map_err(|error| code(&error))
    }

    /// Returns a link that is valid for 5 minutes from `time(0)`.
    async fn link(&self) -> String {
        let valid = PresigningConfig::builder()
            .start_time(time(0).into())
            .expires_in(Duration::from_mins(5))
            .build()
            .expect("a validity");
        let get = self.s3.get_object().bucket("files").key(KEY);
        let get = get.response_content_disposition("attachment; filename=\"a b.csv\"");
        get.presigned(valid).await.expect("a link").uri().to_owned()
    }

    async fn download(&self, link: &str, seconds: i64) -> Response<Bytes> {
        let (_, target) = link.split_once("localhost:9000").expect("the endpoint");
        let request = Request::get(target).header("host", "localhost:9000");
        self.files.download(request.body(Bytes::new()).expect("a request"), time(seconds)).await
    }
}

#[tokio::test]
async fn there_is_one_bucket() {
    let service = service();
    service.s3.head_bucket().bucket("files").send().await.expect("the bucket");
    let error = service.s3.head_bucket().bucket("other").send().await.expect_err("no bucket");
    assert!(error.into_service_error().is_not_found());
    let error = service.s3.get_object().bucket("other").key(KEY).send().await.expect_err("none");
    assert_eq!(code(&error), known("NoSuchBucket", 404));
}

#[tokio::test]
async fn a_list_has_pages() {
    let service = service();
    let keys = ["a", "b/1 +&<ä>", "b/2", "b/3", "c", "c\u{1}"];
    for key in keys {
        service.s3.put_object().bucket("files").key(key).send().await.expect("written");
    }
    let pages = service.s3.list_objects_v2().bucket("files").prefix("b/").max_keys(2);
    let pages = pages.into_paginator().send();
    let pages = pages.try_collect().await.expect("pages");
    assert_eq!(pages.iter().map(|page| page.contents().len()).collect::<Vec<_>>(), [2, 1]);
    let listed =
        pages.iter().flat_map(ListObjectsV2Output::contents).filter_map(|object| object.key());
    assert_eq!(listed.collect::<Vec<_>>(), ["b/1 +&<ä>", "b/2", "b/3"]);
    let object = &pages[1].contents()[0];
    assert_eq!(
        (object.size(), object.e_tag()),
        (Some(0), Some("\"d41d8cd98f00b204e9800998ecf8427e\""))
    );
    assert_eq!(object.last_modified().expect("a time").secs(), time(0).as_second());

    let list = service.s3.list_objects_v2().bucket("files").start_after("b/1 +&<ä>");
    let page = list.encoding_type(EncodingType::Url).send().await.expect("a page");
    let keys = page.contents().iter().filter_map(|object| object.key());
    assert_eq!(keys.collect::<Vec<_>>(), ["b%2F2", "b%2F3", "c", "c%01"]);
    let list = service.s3.list_objects_v2().bucket("files").continuation_token("?");
    let error = list.send().await.expect_err("not a token");
    assert_eq!(code(&error), known("InvalidArgument", 400));
}

#[tokio::test]
async fn what_is_not_implemented_is_refused_by_name() {
    let service = service();
    service.put(b"a").await;
    let refused = |method: Method, target: &str, header: &'static str| {
        let request = Request::builder().method(method).uri(target).header(header, "x");
        let response = service.files.respond(request.body(Bytes::new()).expect("one"), time(0));
        async move {
            let response = response.await;
            assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
            String::from_utf8_lossy(response.body()).into_owned()
        }
    };
    for (method, target, header, name) in [
        (Method::GET, "/files/a?acl", "a", "GET ?acl of an object"),
        (Method::PUT, "/files/a?tagging&x-id=PutObjectTagging", "a", "PutObjectTagging (tagging)"),
        (Method::POST, "/files?delete", "a", "POST ?delete of a bucket"),
        (Method::GET, "/files?list-type=2&delimiter=/", "a", "list-type&amp;delimiter of a bucket"),
        (Method::GET, "/files/a?partNumber=1", "a", "partNumber"),
        (Method::PUT, "/files/a", "x-amz-copy-source", "x-amz-copy-source"),
        (Method::PUT, "/files/a", "x-amz-checksum-md5", "x-amz-checksum-md5"),
        (Method::PUT, "/files/a", "if-none-match", "If-None-Match"),
        (Method::POST, "/files/a?uploadId=1", "x-amz-checksum-crc32", "crc32"),
    ] {
        let body = refused(method, target, header).await;
        assert!(body.contains(name), "{name}: {body}");
        assert!(body.contains("<Code>NotImplemented</Code>"), "{body}");
    }
    let copy = service.s3.copy_object().bucket("files").key("b").copy_source("files/a");
    assert_eq!(code(&copy.send().await.expect_err("refused")), known("NotImplemented", 501));
}

#[tokio::test]
async fn leftovers_are_removed_after_seven_days() {
    let service = service();
    let id = service.create_upload().await;
    let days = |days: i64| time(days * 24 * 60 * 60);
    service.files.remove_leftovers(days(7)).await.expect("nothing to remove");
    service.upload(&id, 1, b"a".to_vec()).await;
    service.files.remove_leftovers(days(8)).await.expect("removed");
    let part = CompletedPart::builder().part_number(1).e_tag("\"x\"").build();
    assert_eq!(service.complete(&id, &[&part]).await, Err(known("NoSuchUpload", 404)));
}
