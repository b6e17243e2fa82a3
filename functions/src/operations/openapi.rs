//! `GET /openapi.yaml`, the contract of this API, and `GET /docs`, the same as an HTML page

use lambda_http::http::header;
use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Allows the page's own style and nothing else: no script, image, frame or form.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
                                       base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const CONTRACT: &str = include_str!("../../../openapi.yaml");

/// The page that `build.rs` generates from the contract.
const PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/page.html"));

/// Returns the contract of this build: `/openapi.yaml` as YAML, `/docs` as an HTML page.
pub async fn handle(_: App, request: Request) -> Result<Reply, ApiError> {
    let (media_type, text) = match request.uri().path() {
        "/openapi.yaml" => ("application/yaml", CONTRACT),
        "/docs" => ("text/html; charset=utf-8", PAGE),
        path => return Err(ApiError::route_not_found(path)),
    };
    let is_cached = |hash: &str| http::if_none_match(&request, hash);
    Ok(Reply::cacheable(media_type, text, is_cached)
        .header(header::CACHE_CONTROL, "max-age=300")
        .header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

#[cfg(test)]
mod tests {
    use once::{
        http::{Body, Response},
        testing::{Call, Cloud},
    };

    use super::*;

    async fn get(path: &str, etag: Option<&str>) -> Response<Body> {
        let call = Call::new("GET", path);
        let call = etag.into_iter().fold(call, |call, etag| call.header("if-none-match", etag));
        call.response(&Cloud::start().await.instance(), handle).await
    }

    fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
        response.headers()[name].to_str().expect("ASCII")
    }

    #[tokio::test]
    async fn the_contract_is_returned_unchanged() {
        let response = get("/openapi.yaml", None).await;
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (200, "application/yaml")
        );
        assert_eq!(response.body(), &Body::from(CONTRACT));
        assert!(CONTRACT.starts_with("openapi: 3.1.0\n"));
    }

    #[tokio::test]
    async fn the_page_is_html_and_loads_nothing_else() {
        let response = get("/docs", None).await;
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (200, "text/html; charset=utf-8")
        );
        assert!(header(&response, "content-security-policy").starts_with("default-src 'none'; "));
        let Body::Text(page) = response.body() else { panic!("a page is text") };
        assert!(page.starts_with("<!doctype html>") && page.contains("/scheduler/preview"));
        for loads in ["<script", "<link", "<img", "<iframe", "src=", "url(", "@import"] {
            assert!(!page.contains(loads), "{loads}");
        }
    }

    #[tokio::test]
    async fn a_client_with_the_current_etag_gets_304() {
        for path in ["/openapi.yaml", "/docs"] {
            let first = get(path, None).await;
            assert_eq!(header(&first, "cache-control"), "max-age=300");
            let second = get(path, Some(header(&first, "etag"))).await;
            assert_eq!((second.status().as_u16(), second.body().is_empty()), (304, true), "{path}");
            assert_eq!(header(&second, "etag"), header(&first, "etag"));
            assert_eq!(get(path, Some("\"another\"")).await.status(), 200);
        }
    }

    #[tokio::test]
    async fn the_sample_event_requests_the_contract() {
        let instance = Cloud::start().await.instance();
        let response = Call::sample("openapi-get").response(&instance, handle).await;
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (200, "application/yaml")
        );
    }
}
