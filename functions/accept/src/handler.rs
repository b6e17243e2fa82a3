//! `GET /api/verve/accept?id&url`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    uniques::{Arrival, UniqueId, Verdict},
    webhook::WebhookUrl,
};
use serde::Deserialize;

/// What is to be counted, and who is told the count.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    id: UniqueId,
    url: Option<WebhookUrl>,
    /// Another name for `url`.
    endpoint: Option<WebhookUrl>,
}

impl Query {
    fn callback(self) -> Result<Option<WebhookUrl>, ApiError> {
        match (self.url, self.endpoint) {
            (Some(_), Some(_)) => Err(ApiError::invalid("endpoint", "is another name for url: only one can be given")),
            (url, endpoint) => Ok(url.or(endpoint)),
        }
    }
}

/// Counts an id, once a minute: `ok` or `failed`.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    accept(&app, &request).await.map_err(ApiError::in_one_word)
}

async fn accept(app: &App, request: &Request) -> Result<Reply, ApiError> {
    let query: Query = http::query(request)?;
    let id = query.id;
    let arrival = Arrival { id, at: app.now(), token: app.token(), callback: query.callback()? };
    let accepted = app.uniques().accept(&arrival).await?;
    match accepted.verdict {
        Verdict::Duplicate if !app.uniques().accepts_duplicates() => Err(ApiError::duplicate_id(accepted.minute)),
        _ => Ok(Reply::word("ok").minute(accepted.minute)),
    }
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, Fault, Process, sample};
    use once::uniques::Duplicates;

    use super::*;

    async fn get(process: &Process, query: &str) -> (u16, String, String) {
        let request = Call::new("GET", &format!("/api/verve/accept?{query}")).request();
        let response = http::handle("accept", &process.app, request, handle).await;
        let reason = response.headers().get("x-error").map(|reason| reason.to_str().expect("ASCII").to_owned());
        let body: &[u8] = response.body();
        (response.status().as_u16(), String::from_utf8_lossy(body).into_owned(), reason.unwrap_or_default())
    }

    #[tokio::test]
    async fn an_id_is_ok_once_a_minute() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        let (mut ok, mut failed) = (0, 0);
        for _ in 0..3 {
            match get(&process, "id=42").await {
                (200, body, reason) if body == "ok" && reason.is_empty() => ok += 1,
                (409, body, reason) if body == "failed" && reason.starts_with("DUPLICATE_ID ") => failed += 1,
                other => panic!("{other:?}"),
            }
        }
        // The minute may turn between two of the three.
        assert!(ok == 1 && failed == 2 || ok == 2 && failed == 1, "{ok} {failed}");
    }

    #[tokio::test]
    async fn the_answer_names_its_minute() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        let before = once::time::Minute::of(process.app.now());
        let answer = Call::new("GET", "/api/verve/accept?id=42").to(&process, handle).await;
        let minute: once::time::Minute = answer.headers["x-minute"].to_str().expect("ASCII").parse().expect("a minute");
        assert!(minute >= before && minute <= once::time::Minute::of(process.app.now()));
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    }

    #[tokio::test]
    async fn a_duplicate_may_be_ok_if_the_setting_says_so() {
        let cloud = Cloud::start().await;
        let process = cloud.process_with(|config| config.uniques.duplicates = Duplicates::Accept);
        for _ in 0..3 {
            assert_eq!(get(&process, "id=42").await, (200, "ok".to_owned(), String::new()));
        }
        assert!(process.wire.take_sent().len() <= 4, "the setting, and one put a minute");
    }

    #[tokio::test]
    async fn a_bad_request_fails_and_names_the_field() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        let long = format!("id=1&url=https://shop.example/{}", "x".repeat(2_048));
        for (query, field) in [
            ("", "id"),
            ("id=", "id"),
            ("id=%20", "id"),
            ("id=one", "id"),
            ("id=1.0", "id"),
            ("id=%2B1", "id"),
            ("id=+1", "id"),
            ("id=1%20", "id"),
            ("id=%EF%BC%91%EF%BC%92", "id"),
            ("id=%D9%A1", "id"),
            ("id=9223372036854775808", "id"),
            ("id=-9223372036854775809", "id"),
            ("id=1&id=2", "id"),
            ("id=1&id=1", "id"),
            ("id=1&ID=1", "ID"),
            ("id=1&url=", "url"),
            ("id=1&url=shop.example", "url"),
            ("id=1&url=ftp://shop.example/", "url"),
            ("id=1&url=file:///etc/passwd", "url"),
            ("id=1&url=https://user:secret@shop.example/", "url"),
            ("id=1&url=https://user@shop.example/", "url"),
            (&long, "url"),
            ("id=1&endpoint=gopher://shop.example/", "endpoint"),
            ("id=1&url=https://a.example/&url=https://b.example/", "url"),
            ("id=1&url=https://a.example/&endpoint=https://b.example/", "endpoint"),
            ("id=1&url=https://a.example/&endpoint=https://a.example/", "endpoint"),
        ] {
            let (status, body, reason) = get(&process, query).await;
            assert_eq!((status, body.as_str()), (400, "failed"), "{query}");
            assert!(reason.starts_with(&format!("INVALID_REQUEST {field}: ")), "{query}: {reason}");
        }
        assert!(process.wire.take_sent().is_empty(), "nothing of it reached the store");
    }

    #[tokio::test]
    async fn an_id_that_is_not_recorded_is_not_ok() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        for fault in [Fault::Throttle, Fault::Refuse, Fault::LoseReply] {
            process.wire.fail_randomly(1, 1.0, fault);
            let (status, body, reason) = get(&process, "id=42").await;
            assert_eq!((status, body.as_str()), (503, "failed"), "{fault:?}");
            assert!(reason.starts_with("NOT_RECORDED "), "{reason}");
        }
    }

    #[tokio::test]
    async fn a_callback_is_stored_with_its_id() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        for query in ["id=1&url=https://shop.example/counted%3Fa=1", "id=2&endpoint=https://shop.example/counted%3Fa=1"]
        {
            assert_eq!(get(&process, query).await.0, 200);
        }
        let items = cloud.items(once::testing::UNIQUES_TABLE).await;
        let urls: Vec<_> = items.iter().filter_map(|item| item.get("url")?.as_s().ok()).collect();
        assert_eq!(urls, ["https://shop.example/counted?a=1"; 2]);
        let puts = process.wire.take_sent().iter().filter(|call| call.operation == "PutItem").count();
        assert_eq!(puts, 1 + 2, "the setting, and one put an id: a callback costs no other call");
    }

    #[tokio::test]
    async fn the_sample_event_is_answered() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        let response = http::handle("accept", &process.app, sample("accept"), handle).await;
        assert_eq!(response.status(), 200);
    }
}
