//! `GET /api/verve/counts?from&to&limit&cursor`

use std::time::Duration;

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    time::{Minute, Timestamp},
    uniques::{DEFAULT_LIMIT, Limit},
};
use serde::Deserialize;

/// The time before `to` that is listed if the request has no `from`.
const WINDOW: Duration = Duration::from_hours(1);

/// The listed minutes: those that begin between `from` and `to`, both included.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    #[serde(default = "default_limit")]
    limit: Limit,
    cursor: Option<Minute>,
}

fn default_limit() -> Limit {
    DEFAULT_LIMIT
}

/// Lists published counts, oldest first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let query: Query = http::query(&request)?;
    let to = query.to.unwrap_or_else(|| app.now());
    let from = query.from.unwrap_or_else(|| to.minus(WINDOW));
    if to < from {
        return Err(ApiError::invalid("from", "must not be after to"));
    }
    let first = query.cursor.unwrap_or_else(|| Minute::starting_from(from));
    let counts = app.uniques().counts(first, Minute::of(to), query.limit).await?;
    Ok(Reply::ok(&counts))
}

#[cfg(test)]
mod tests {
    use once::{
        testing::{Call, Cloud, Instance},
        uniques::AcceptRequest,
    };
    use serde_json::{Value, json};

    use super::*;

    const FIRST: &str = "2026-11-20T23:20:00Z";

    /// Starts a store with three published minutes from [`FIRST`] on, of one, two and three ids.
    async fn published() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance_with(|config| config.uniques.shards = 2);
        let first: Minute = FIRST.parse().expect("a minute");
        for (n, ids) in [(0, 1), (1, 2), (2, 3)] {
            for id in 0..ids {
                let received_at = first.plus(n).start();
                let request = AcceptRequest {
                    id: id.into(),
                    received_at,
                    now: received_at,
                    token: once::invocation::token(),
                    callback: None,
                };
                instance.app.uniques().accept(&request).await.expect("recorded");
            }
        }
        instance.app.minute_closer().tick(first.plus(4).start()).await.expect("a tick");
        (cloud, instance)
    }

    async fn get(instance: &Instance, query: &str) -> (u16, Value) {
        let answer =
            Call::new("GET", &format!("/api/verve/counts?{query}")).to(instance, handle).await;
        (answer.status, answer.body)
    }

    #[tokio::test]
    async fn minutes_are_listed_oldest_first_including_both_ends() {
        let (_cloud, instance) = published().await;
        let (status, body) = get(&instance, &format!("from={FIRST}&to=2026-11-20T23:21:00Z")).await;
        let counts = json!([
            {"minute": FIRST, "unique_ids": 1},
            {"minute": "2026-11-20T23:21:00Z", "unique_ids": 2},
        ]);
        assert_eq!((status, body), (200, json!({"counts": counts, "next_cursor": null})));
        // A minute that begins before `from` or after `to` is not listed.
        let (_, body) =
            get(&instance, "from=2026-11-20T23:20:00.001Z&to=2026-11-20T23:21:59Z").await;
        assert_eq!(body["counts"], json!([{"minute": "2026-11-20T23:21:00Z", "unique_ids": 2}]));
        // The same range with another UTC offset.
        let (_, body) =
            get(&instance, "from=2026-11-21T00:22:00%2B01:00&to=2026-11-21T00:22:00%2B01:00").await;
        assert_eq!(body["counts"], json!([{"minute": "2026-11-20T23:22:00Z", "unique_ids": 3}]));
    }

    #[tokio::test]
    async fn the_cursor_of_a_page_leads_to_the_next_one() {
        let (_cloud, instance) = published().await;
        let range = format!("from={FIRST}&to=2026-11-20T23:22:00Z&limit=2");
        let (_, first) = get(&instance, &range).await;
        assert_eq!(
            (first["counts"].as_array().map(Vec::len), &first["next_cursor"]),
            (Some(2), &json!("2026-11-20T23:22:00Z"))
        );
        let (_, last) = get(&instance, &format!("{range}&cursor=2026-11-20T23:22:00Z")).await;
        assert_eq!(
            last,
            json!({
                "counts": [{"minute": "2026-11-20T23:22:00Z", "unique_ids": 3}],
                "next_cursor": null,
            })
        );
    }

    #[tokio::test]
    async fn without_a_range_the_last_hour_is_listed() {
        let (_cloud, instance) = published().await;
        assert_eq!(get(&instance, "").await, (200, json!({"counts": [], "next_cursor": null})));
        let (_, body) = get(&instance, "to=2026-11-21T00:20:00Z").await;
        assert_eq!(body["counts"].as_array().map(Vec::len), Some(3));
    }

    #[tokio::test]
    async fn an_invalid_query_is_refused_with_its_field() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for (query, field) in [
            ("from=yesterday", "from"),
            ("to=2026-11-20", "to"),
            ("from=2026-02-30T00:00:00Z", "from"),
            ("from=-009998-01-01T00:00:00Z&to=-000001-01-01T00:00:00Z", "from"),
            ("from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z", "from"),
            ("limit=0", "limit"),
            ("limit=1441", "limit"),
            ("limit=-1", "limit"),
            ("cursor=x", "cursor"),
            ("cursor=2026-11-20T23:20:30Z", "cursor"),
            ("form=x", "form"),
            ("limit=1&limit=1", "limit"),
        ] {
            let answer =
                Call::new("GET", &format!("/api/verve/counts?{query}")).to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, field), "{query}");
        }
    }

    #[tokio::test]
    async fn the_sample_event_is_answered() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let response = Call::sample("count-list").response(&instance, handle).await;
        assert_eq!(response.status(), 200);
    }
}
