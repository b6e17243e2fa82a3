//! Writes and reads of whole objects.

use super::*;

#[tokio::test]
async fn an_object_is_returned_as_it_was_put() {
    let service = service();
    let put = service.s3.put_object().bucket("files").key(KEY).content_type("text/csv");
    let put = put.content_disposition("attachment").metadata("origin", "test");
    let put = put.cache_control("no-cache").content_encoding("gzip");
    let put = put.body(ByteStream::from_static(b"a,b\n")).send().await.expect("written");
    let get = service.s3.get_object().bucket("files").key(KEY).send().await.expect("an object");
    assert_eq!(get.e_tag(), put.e_tag());
    assert_eq!(get.content_type(), Some("text/csv"));
    assert_eq!(get.content_disposition(), Some("attachment"));
    assert_eq!(get.content_encoding(), Some("gzip"));
    assert_eq!(get.cache_control(), Some("no-cache"));
    assert_eq!(get.metadata().and_then(|metadata| metadata.get("origin")).expect("one"), "test");
    assert_eq!(get.content_length(), Some(4));
    assert_eq!(get.last_modified().expect("a time").secs(), time(0).as_second());
    assert_eq!(get.body.collect().await.expect("content").into_bytes(), "a,b\n");

    let head = service.s3.head_object().bucket("files").key(KEY).send().await.expect("an object");
    assert_eq!((head.content_length(), head.e_tag()), (Some(4), put.e_tag()));
}

#[tokio::test]
async fn an_object_may_have_neither_content_nor_type() {
    let service = service();
    let put = Request::put("/files/a").body(Bytes::new()).expect("a request");
    assert_eq!(service.files.respond(put, time(0)).await.status(), StatusCode::OK);
    let get = service.s3.get_object().bucket("files").key("a").send().await.expect("an object");
    assert_eq!((get.content_length(), get.content_type()), (Some(0), Some("binary/octet-stream")));
}

#[tokio::test]
async fn an_etag_is_the_md5_of_the_content() {
    assert_eq!(service().put(b"123456789").await, "\"25f9e794323b453885f5181f1b624d0b\"");
}

#[tokio::test]
async fn a_deleted_object_is_no_such_key() {
    let service = service();
    service.put(b"a").await;
    for _ in 0..2 {
        service.s3.delete_object().bucket("files").key(KEY).send().await.expect("deleted");
    }
    let error = service.s3.get_object().bucket("files").key(KEY).send().await.expect_err("none");
    assert_eq!(code(&error), known("NoSuchKey", 404));
    assert!(error.into_service_error().is_no_such_key());
    let error = service.s3.head_object().bucket("files").key(KEY).send().await.expect_err("none");
    assert!(error.into_service_error().is_not_found());
}

#[tokio::test]
async fn a_conditional_write_replaces_only_what_it_expects() {
    let service = service();
    let put = || service.s3.put_object().bucket("files").key(KEY);
    let error = put().if_match("\"x\"").send().await.expect_err("nothing to replace");
    assert_eq!(code(&error), known("NoSuchKey", 404));
    let created = put().if_none_match("*").send().await.expect("created");
    let error = put().if_none_match("*").send().await.expect_err("it exists");
    assert_eq!(code(&error), known("PreconditionFailed", 412));
    let error = put().if_match("\"x\"").send().await.expect_err("another ETag");
    assert_eq!(code(&error), known("PreconditionFailed", 412));
    put().if_match(created.e_tag.expect("an ETag")).send().await.expect("replaced");
}

#[tokio::test]
async fn a_conditional_read_returns_only_what_it_expects() {
    let service = service();
    let etag = service.put(b"a").await;
    let get = || service.s3.get_object().bucket("files").key(KEY);
    get().if_match(&etag).send().await.expect("the same");
    get().if_none_match("\"x\"").send().await.expect("another");
    let error = get().if_match("\"x\"").send().await.expect_err("another ETag");
    assert_eq!(code(&error), known("PreconditionFailed", 412));
    let error = get().if_none_match(&etag).send().await.expect_err("the same");
    assert_eq!(code(&error), known("", 304));
    let headers = error.raw_response().expect("a response").headers();
    assert_eq!(headers.get("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn a_range_is_a_part_of_the_content() {
    let service = service();
    service.put(b"0123456789").await;
    let get = |range: &str| service.s3.get_object().bucket("files").key(KEY).range(range).send();
    for (range, content, position) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let part = get(range).await.expect(range);
        assert_eq!(part.content_range(), Some(position));
        assert_eq!(part.content_length(), i64::try_from(content.len()).ok());
        assert_eq!(part.body.collect().await.expect("content").into_bytes(), content);
    }
    let error = get("bytes=10-").await.expect_err("behind the end");
    assert_eq!(code(&error), known("InvalidRange", 416));
    let headers = error.raw_response().expect("a response").headers();
    assert_eq!(headers.get("content-range"), Some("bytes */10"));
    let head = service.s3.head_object().bucket("files").key(KEY).range("bytes=2-4");
    assert_eq!(head.send().await.expect("an object").content_length(), Some(3));
}

#[tokio::test]
async fn a_body_is_checked_against_each_checksum_of_the_sdk() {
    let service = service();
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let put = service.s3.put_object().bucket("files").key(KEY);
        let put = put.checksum_algorithm(algorithm.clone());
        put.body(ByteStream::from_static(b"a")).send().await.expect("written");
        let request = service.last_request.lock().take().expect("a request");
        assert_eq!(body::checksums(request.headers()).count(), 1, "{algorithm}");
        let damaged = request.map(|_| Bytes::from_static(b"b"));
        let response = service.files.respond(damaged, time(0)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{algorithm}");
        assert!(response.body().windows(9).any(|text| text == b"BadDigest"));
    }
    let get = service.s3.get_object().bucket("files").key(KEY).checksum_mode(ChecksumMode::Enabled);
    get.send().await.expect("an object");
    assert_eq!(service.get().await, "a");
}

#[tokio::test]
async fn a_streamed_body_is_decoded() {
    let service = service();
    let content = vec![b'x'; 200_000];
    let source = service.folder.join("source");
    fs::write(&source, &content).expect("written");
    let body = ByteStream::read_from().path(&source).build().await.expect("a stream");
    let put = service.s3.put_object().bucket("files").key(KEY).body(body);
    put.send().await.expect("written");
    let request = service.last_request.lock().take().expect("a request");
    assert_eq!(request.headers()["x-amz-trailer"], "x-amz-checksum-crc32");
    let get = service.s3.get_object().bucket("files").key(KEY).send().await.expect("an object");
    assert_eq!(get.content_encoding(), None);
    assert_eq!(get.body.collect().await.expect("content").into_bytes(), content);
}

#[tokio::test]
async fn an_upload_without_checksums_is_accepted() {
    let service = service_with(RequestChecksumCalculation::WhenRequired);
    service.put(b"a").await;
    assert_eq!(service.get().await, "a");
}

#[tokio::test]
async fn a_content_over_the_limit_is_refused() {
    let service = service();
    let large = vec![0; 6 * 1_024 * 1_024 + 1];
    let put = |content: &[u8]| {
        let put = service.s3.put_object().bucket("files").key(KEY);
        put.body(ByteStream::from(content.to_vec())).send()
    };
    put(&large[1..]).await.expect("the limit");
    assert_eq!(code(&put(&large).await.expect_err("too large")), known("EntityTooLarge", 400));
    let long = service.s3.put_object().bucket("files").key("x".repeat(1_025));
    assert_eq!(code(&long.send().await.expect_err("too long")), known("KeyTooLongError", 400));
}
