//! `GET /api/verve/counts?from&to&limit&cursor`

use std::time::Duration;

use once::{
    App,
    cursor::{Cursor, Filter, InvalidCursor},
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
    cursor: Option<Start>,
}

/// The start of a page: the place of another page's `next_cursor`, or a minute.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
enum Start {
    Cursor(Cursor<Minute>),
    Minute(Minute),
}

impl TryFrom<String> for Start {
    type Error = InvalidCursor;

    fn try_from(text: String) -> Result<Self, InvalidCursor> {
        match text.parse() {
            Ok(minute) => Ok(Self::Minute(minute)),
            Err(_) => text.try_into().map(Self::Cursor),
        }
    }
}

fn default_limit() -> Limit {
    DEFAULT_LIMIT
}

/// Lists published counts, oldest first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let query: Query = http::query(&request)?;
    let filter = Filter::of("counts").with("from", query.from).with("to", query.to);
    let place = match query.cursor {
        Some(Start::Minute(minute)) => Some(minute),
        Some(Start::Cursor(cursor)) => filter.place(Some(cursor))?,
        None => None,
    };
    let to = query.to.unwrap_or_else(|| app.now());
    let from = query.from.unwrap_or_else(|| to.minus(WINDOW));
    if to < from {
        return Err(ApiError::invalid("from", "must not be after to"));
    }
    // No cursor leads out of the range.
    let from = Minute::starting_from(from);
    let first = place.map_or(from, |place| place.max(from));
    let page = app.uniques().counts(first, Minute::of(to), query.limit).await?;
    Ok(Reply::ok(&filter.listed("counts", page)))
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
        assert_eq!(first["counts"].as_array().map(Vec::len), Some(2));
        let cursor = first["next_cursor"].as_str().expect("a cursor");
        let last = json!({
            "counts": [{"minute": "2026-11-20T23:22:00Z", "unique_ids": 3}],
            "next_cursor": null,
        });
        assert_eq!(get(&instance, &format!("{range}&cursor={cursor}")).await.1, last);
        // The same range in other words.
        let other = "from=2026-11-21T00:20:00%2B01:00&to=2026-11-20T23:22:00.000Z";
        assert_eq!(get(&instance, &format!("{other}&cursor={cursor}")).await.1, last);
        // A page may also begin at a minute.
        let minute = format!("{range}&cursor=2026-11-20T23:22:00Z");
        assert_eq!(get(&instance, &minute).await.1, last);
    }

    #[tokio::test]
    async fn no_cursor_leads_out_of_the_range() {
        let (_cloud, instance) = published().await;
        let (_, first) =
            get(&instance, &format!("from={FIRST}&to=2026-11-20T23:22:00Z&limit=1")).await;
        let cursor = first["next_cursor"].as_str().expect("a cursor");
        for range in [
            "from=2026-11-20T23:22:00Z&to=2026-11-20T23:22:00Z",
            "from=2026-11-20T23:20:00Z&to=2026-11-20T23:23:00Z",
            "from=2026-11-20T23:20:00Z",
            "to=2026-11-20T23:22:00Z",
            "",
        ] {
            let call = Call::new("GET", &format!("/api/verve/counts?{range}&cursor={cursor}"));
            let answer = call.to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, "cursor"), "{range}");
        }
        let early = "from=2026-11-20T23:22:00Z&to=2026-11-20T23:22:00Z&cursor=2026-01-01T00:00:00Z";
        let (_, body) = get(&instance, early).await;
        assert_eq!(body["counts"], json!([{"minute": "2026-11-20T23:22:00Z", "unique_ids": 3}]));
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
            ("from=2026-11-20T23:20:60Z", "from"),
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
