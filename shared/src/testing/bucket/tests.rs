use aws_sdk_s3::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        complete_multipart_upload::CompleteMultipartUploadError, get_object::GetObjectError,
    },
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};

use super::*;
use crate::{
    aws::ServiceError,
    testing::{Cloud, Fault, FaultyTransport},
};

const KEY: &str = "2026-01/fees of a+b & c=d.csv";

async fn bucket() -> (Cloud, FaultyTransport, Client) {
    let cloud = Cloud::start().await;
    let transport = cloud.instance().transport;
    let s3 = cloud.aws_behind(&transport).s3();
    (cloud, transport, s3)
}

async fn put(s3: &Client, content: &[u8]) {
    let body = ByteStream::from(content.to_vec());
    s3.put_object().bucket("files").key(KEY).body(body).send().await.expect("put");
}

async fn get(s3: &Client) -> Result<Vec<u8>, SdkError<GetObjectError, HttpResponse>> {
    let found = s3.get_object().bucket("files").key(KEY).send().await?;
    Ok(found.body.collect().await.expect("a body").to_vec())
}

async fn create_upload(s3: &Client) -> String {
    let call = s3.create_multipart_upload().bucket("files").key(KEY);
    call.send().await.expect("created").upload_id.expect("an id")
}

async fn upload(s3: &Client, id: &str, number: i32, content: Vec<u8>) -> CompletedPart {
    let part = s3.upload_part().bucket("files").key(KEY).upload_id(id).part_number(number);
    let stored = part.body(ByteStream::from(content)).send().await.expect("a part");
    CompletedPart::builder().part_number(number).set_e_tag(stored.e_tag).build()
}

async fn complete(
    s3: &Client,
    id: &str,
    parts: impl IntoIterator<Item = CompletedPart>,
) -> Result<(), SdkError<CompleteMultipartUploadError, HttpResponse>> {
    let parts =
        CompletedMultipartUpload::builder().set_parts(Some(parts.into_iter().collect())).build();
    let call = s3
        .complete_multipart_upload()
        .bucket("files")
        .key(KEY)
        .upload_id(id)
        .multipart_upload(parts);
    call.send().await.map(|_| ())
}

fn operations(transport: &FaultyTransport) -> Vec<String> {
    transport.take_calls().into_iter().map(|call| call.operation).collect()
}

#[tokio::test]
async fn an_object_is_read_as_it_was_put_until_it_is_deleted() {
    let (cloud, transport, s3) = bucket().await;
    put(&s3, b"a,b\n").await;
    assert_eq!(get(&s3).await.expect("a file"), b"a,b\n");
    assert_eq!(cloud.services().file(KEY).expect("under its key"), b"a,b\n");
    assert_eq!(cloud.services().files(), BTreeMap::from([(KEY.to_owned(), 4)]));
    s3.delete_object().bucket("files").key(KEY).send().await.expect("deleted");
    assert!(cloud.services().files().is_empty());
    let calls = transport.take_calls();
    assert!(calls.iter().all(|call| call.write_units + call.read_units == 0.0));
    let operations: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["PutObject", "GetObject", "DeleteObject"]);
}

#[tokio::test]
async fn a_missing_object_is_no_such_key() {
    let (cloud, _, s3) = bucket().await;
    assert!(get(&s3).await.expect_err("no object").into_service_error().is_no_such_key());
    cloud.services().put_file(KEY, "a");
    get(&s3).await.expect("an object");
    cloud.services().remove_file(KEY);
    get(&s3).await.expect_err("no object");
}

#[tokio::test]
async fn a_multipart_upload_appears_as_a_whole_when_it_is_completed() {
    let (cloud, _, s3) = bucket().await;
    put(&s3, b"old").await;
    let id = create_upload(&s3).await;
    // The parts are uploaded out of order, and one of them twice.
    let second = upload(&s3, &id, 2, b"end".to_vec()).await;
    upload(&s3, &id, 1, vec![b'x'; 7]).await;
    let first = upload(&s3, &id, 1, vec![b'a'; MIN_PART_BYTES]).await;
    assert_eq!(get(&s3).await.expect("a file"), b"old");
    assert_eq!(cloud.services().unfinished_uploads(), 1);

    complete(&s3, &id, [first.clone(), second.clone()]).await.expect("completed");
    assert_eq!(
        get(&s3).await.expect("a file"),
        [vec![b'a'; MIN_PART_BYTES], b"end".to_vec()].concat()
    );
    assert_eq!(cloud.services().unfinished_uploads(), 0);
    let error = complete(&s3, &id, [first, second]).await.expect_err("completed before");
    assert_eq!(error.code(), Some("NoSuchUpload"));
}

#[tokio::test]
async fn parts_that_are_small_or_out_of_order_or_unknown_are_rejected() {
    let (cloud, _, s3) = bucket().await;
    let id = create_upload(&s3).await;
    let first = upload(&s3, &id, 1, vec![b'a'; MIN_PART_BYTES - 1]).await;
    let second = upload(&s3, &id, 2, b"end".to_vec()).await;
    let large = upload(&s3, &id, 3, vec![b'a'; MIN_PART_BYTES]).await;
    let unknown = CompletedPart::builder().part_number(4).e_tag("\"x\"").build();
    let changed = CompletedPart::builder().part_number(1).e_tag("\"x\"").build();
    for (parts, code) in [
        (vec![first.clone(), second.clone()], "EntityTooSmall"),
        (vec![large, second.clone()], "InvalidPartOrder"),
        (vec![unknown], "InvalidPart"),
        (vec![changed], "InvalidPart"),
        (vec![], "MalformedXML"),
    ] {
        let error = complete(&s3, &id, parts).await.expect_err(code);
        assert_eq!(error.code(), Some(code));
    }
    assert!(cloud.services().files().is_empty());
    complete(&s3, &id, [second]).await.expect("the last part alone may be small");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let (cloud, _, s3) = bucket().await;
    let id = create_upload(&s3).await;
    let part = upload(&s3, &id, 1, b"end".to_vec()).await;
    s3.abort_multipart_upload()
        .bucket("files")
        .key(KEY)
        .upload_id(&id)
        .send()
        .await
        .expect("aborted");
    assert_eq!(cloud.services().unfinished_uploads(), 0);
    assert_eq!(
        complete(&s3, &id, [part]).await.expect_err("aborted before").code(),
        Some("NoSuchUpload")
    );
    assert!(cloud.services().files().is_empty());
}

#[tokio::test]
async fn a_put_that_fails_transiently_is_retried_by_the_sdk() {
    for fault in [Fault::Throttle, Fault::LoseReply, Fault::Refuse] {
        let (cloud, transport, s3) = bucket().await;
        transport.fail_at(1, fault);
        put(&s3, b"a").await;
        assert_eq!(operations(&transport), ["PutObject", "PutObject"], "{fault:?}");
        assert_eq!(cloud.services().file(KEY).expect("a file"), b"a", "{fault:?}");
    }
}

#[tokio::test]
async fn a_throttle_without_end_is_slow_down_and_transient() {
    let (_cloud, transport, s3) = bucket().await;
    transport.fail_randomly(1, 1.0, Fault::Throttle);
    let error = get(&s3).await.expect_err("too many calls");
    assert_eq!(error.code(), Some("SlowDown"));
    assert!(ServiceError::from(error).is_transient());
}

#[tokio::test]
async fn a_crash_at_a_part_leaves_an_unfinished_upload() {
    for (crash, stored) in [(Fault::CrashBefore, 0), (Fault::CrashAfter, 1)] {
        let (cloud, transport, s3) = bucket().await;
        let id = create_upload(&s3).await;
        transport.fail_at(1, crash);
        tokio::select! {
            biased;
            () = transport.crashed() => {}
            _ = upload(&s3, &id, 1, b"end".to_vec()) => panic!("no crash at {crash:?}"),
        }
        assert_eq!(operations(&transport), ["CreateMultipartUpload", "UploadPart"]);
        assert_eq!((cloud.services().unfinished_uploads(), cloud.services().files().len()), (1, 0));
        let parts = complete(
            &s3,
            &id,
            [CompletedPart::builder().part_number(1).e_tag(etag(b"end")).build()],
        )
        .await;
        assert_eq!(usize::from(parts.is_ok()), stored, "{crash:?}: {parts:?}");
    }
}
