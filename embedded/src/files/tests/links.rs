//! Presigned links.

use super::*;

#[tokio::test]
async fn a_link_downloads_its_object_until_it_expires() {
    let service = service();
    service.put(b"a,b\n").await;
    let link = service.link().await;
    let response = service.download(&link, 300).await;
    assert_eq!((response.status(), response.body()), (StatusCode::OK, &Bytes::from("a,b\n")));
    assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"a b.csv\"");
    assert_eq!(service.download(&link, 301).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_altered_link_is_forbidden() {
    let service = service();
    service.put(b"a").await;
    let link = service.link().await;
    for (part, other) in [
        ("fees", "sums"),
        ("attachment", "inline"),
        ("X-Amz-Expires=300", "X-Amz-Expires=301"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("X-Amz-Signature=", "Signature="),
        ("x-id=GetObject&", ""),
    ] {
        assert!(link.contains(part), "{part} is not in {link}");
        let response = service.download(&link.replace(part, other), 0).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{part}");
    }
}

#[tokio::test]
async fn a_stranger_may_do_nothing_without_a_link() {
    let service = service();
    service.put(b"a").await;
    let link = service.link().await;
    let (target, query) = link.split_once('?').expect("a query");
    assert_eq!(service.download(target, 0).await.status(), StatusCode::FORBIDDEN);
    for method in [Method::PUT, Method::DELETE, Method::POST] {
        let request = Request::builder().method(method.clone()).uri(format!("{target}?{query}"));
        let response = service.files.download(request.body(Bytes::new()).expect("one"), time(0));
        assert_eq!(response.await.status(), StatusCode::FORBIDDEN, "{method}");
    }
    assert_eq!(service.get().await, "a");
}
