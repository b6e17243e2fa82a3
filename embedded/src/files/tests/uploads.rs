//! Multipart uploads.

use super::*;

#[tokio::test]
async fn a_multipart_upload_appears_as_a_whole_when_it_is_completed() {
    let service = service();
    let large = vec![b'a'; usize::try_from(MIN_PART_BYTES).expect("small")];
    service.put(b"old").await;
    let id = service.create_upload().await;
    // The parts are uploaded out of order, and one of them twice.
    let second = service.upload(&id, 2, b"end".to_vec()).await;
    service.upload(&id, 1, b"x".to_vec()).await;
    let first = service.upload(&id, 1, large.clone()).await;
    assert_eq!(service.get().await, "old");
    let etag = service.complete(&id, &[&first, &second]).await.expect("completed");
    assert!(etag.ends_with("-2\""), "{etag}");
    let get = service.s3.get_object().bucket("files").key(KEY).send().await.expect("an object");
    assert_eq!((get.e_tag(), get.content_type()), (Some(etag.as_str()), Some("text/csv")));
    let content = get.body.collect().await.expect("content").into_bytes();
    assert_eq!(content, [&large[..], b"end"].concat());
    let again = service.complete(&id, &[&first, &second]).await;
    assert_eq!(again, Err(known("NoSuchUpload", 404)));
}

#[tokio::test]
async fn the_etag_of_a_multipart_upload_is_that_of_s3() {
    let service = service();
    let id = service.create_upload().await;
    let part = service.upload(&id, 1, b"123456789".to_vec()).await;
    let etag = service.complete(&id, &[&part]).await.expect("completed");
    // md5sum of the 16 bytes of the MD5 of the part.
    assert_eq!(etag, "\"5927c5d64d94a5786f90003aa26d0159-1\"");
}

#[tokio::test]
async fn parts_that_are_small_or_out_of_order_or_unknown_are_refused() {
    let service = service();
    let id = service.create_upload().await;
    let small = service.upload(&id, 1, b"small".to_vec()).await;
    let end = service.upload(&id, 2, b"end".to_vec()).await;
    let large = vec![b'a'; usize::try_from(MIN_PART_BYTES).expect("small")];
    let large = service.upload(&id, 3, large).await;
    let unknown = CompletedPart::builder().part_number(4).e_tag("\"x\"").build();
    let changed = CompletedPart::builder().part_number(1).e_tag("\"x\"").build();
    for (parts, code) in [
        (vec![&small, &end], "EntityTooSmall"),
        (vec![&large, &end], "InvalidPartOrder"),
        (vec![&large, &large], "InvalidPartOrder"),
        (vec![&unknown], "InvalidPart"),
        (vec![&changed], "InvalidPart"),
        (vec![], "MalformedXML"),
    ] {
        assert_eq!(service.complete(&id, &parts).await, Err(known(code, 400)));
    }
    for number in [0, 10_001] {
        let part = service.s3.upload_part().bucket("files").key(KEY).upload_id(&id);
        let error = part.part_number(number).send().await.expect_err("no such number");
        assert_eq!(code(&error), known("InvalidArgument", 400));
    }
    service.complete(&id, &[&end]).await.expect("the last part alone may be small");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let service = service();
    let id = service.create_upload().await;
    let part = service.upload(&id, 1, b"end".to_vec()).await;
    let abort = || service.s3.abort_multipart_upload().bucket("files").key(KEY).upload_id(&id);
    abort().send().await.expect("aborted");
    let error = abort().send().await.expect_err("aborted before");
    assert_eq!(code(&error), known("NoSuchUpload", 404));
    assert_eq!(service.complete(&id, &[&part]).await, Err(known("NoSuchUpload", 404)));
    assert_eq!(fs::read_dir(service.folder.join("uploads")).expect("a folder").count(), 0);
}

#[tokio::test]
async fn a_manifest_that_is_not_whole_is_refused() {
    let service = service();
    let id = service.create_upload().await;
    let part = service.upload(&id, 1, b"end".to_vec()).await;
    service.complete(&id, &[&part]).await.expect("completed");
    let sent = service.last_request.lock().take().expect("a request");
    let text = String::from_utf8(sent.body().to_vec()).expect("XML");
    for end in ["</CompleteMultipartUpload>", "</Part>", "</ETag>", "<Part>"] {
        let (cut, _) = text.split_once(end).expect("a manifest");
        let request = sent.clone().map(|_| Bytes::from(cut.to_owned()));
        let response = service.files.respond(request, time(0)).await;
        let body = String::from_utf8_lossy(response.body()).into_owned();
        assert!(body.contains("MalformedXML"), "{end}: {body}");
    }
}
