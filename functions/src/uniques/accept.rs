//! `GET /api/verve/accept?id&url`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    invocation,
    uniques::{AcceptOutcome, AcceptRequest, UniqueId},
    webhook::{Guard, WebhookUrl},
};
use serde::Deserialize;

/// The id to count, and the URL that the count of its minute is sent to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    id: UniqueId,
    url: Option<WebhookUrl>,
    /// Alias of `url`.
    endpoint: Option<WebhookUrl>,
}

impl Query {
    /// Returns the callback URL. One whose text already shows that its host is blocked is refused
    /// here.
    fn callback(self, guard: Guard) -> Result<Option<WebhookUrl>, ApiError> {
        let (field, url) = match (self.url, self.endpoint) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "endpoint",
                    "is an alias of url: send only one of them",
                ));
            }
            (None, Some(endpoint)) => ("endpoint", endpoint),
            (Some(url), None) => ("url", url),
            (None, None) => return Ok(None),
        };
        guard.check(&url).map_err(|blocked| ApiError::invalid(field, blocked))?;
        Ok(Some(url))
    }
}

/// Counts an id, once per minute. Answers `ok`, or `failed` for a duplicate and for an error.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let query: Query = http::query(&request)?;
    let id = query.id;
    let callback = query.callback(app.guard())?;
    let (now, token) = (app.now(), invocation::token());
    let received_at = http::received_at(&request).unwrap_or(now);
    let request = AcceptRequest { id, received_at, now, token, callback };
    let accepted = app.uniques().accept(&request).await?;
    match accepted.outcome {
        AcceptOutcome::Duplicate if !app.uniques().accepts_duplicates() => {
            Err(ApiError::duplicate_id(accepted.minute))
        }
        _ => Ok(Reply::text("ok").minute(accepted.minute)),
    }
}

#[cfg(test)]
mod tests {
    use once::{
        testing::{Call, Cloud, Fault, Instance},
        time::{Minute, Timestamp},
        uniques::{DEFAULT_LIMIT, Duplicates},
    };

    use super::*;

    /// Returns `n` seconds after 23:20 UTC.
    fn second(n: i64) -> Timestamp {
        Timestamp::from_millis(1_795_216_800_000 + n * 1_000)
    }

    async fn get(instance: &Instance, query: &str) -> (u16, String, String) {
        let call = Call::new("GET", &format!("/api/verve/accept?{query}"));
        let response = call.response(instance, handle).await;
        let reason = response
            .headers()
            .get("x-error")
            .map(|reason| reason.to_str().expect("ASCII").to_owned());
        let body: &[u8] = response.body();
        (
            response.status().as_u16(),
            String::from_utf8_lossy(body).into_owned(),
            reason.unwrap_or_default(),
        )
    }

    #[tokio::test]
    async fn an_id_is_ok_once_per_minute() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let (this, next) = (instance.at(second(59)), instance.at(second(60)));
        assert_eq!(get(&this, "id=42").await, (200, "ok".to_owned(), String::new()));
        let (status, body, reason) = get(&this, "id=42").await;
        assert_eq!((status, body.as_str()), (409, "failed"));
        assert!(reason.starts_with("DUPLICATE_ID "), "{reason}");
        assert_eq!(get(&next, "id=42").await, (200, "ok".to_owned(), String::new()));
    }

    #[tokio::test]
    async fn the_minute_is_that_of_the_arrival_at_the_gateway() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at(second(62));
        let call = || Call::new("GET", "/api/verve/accept?id=42");
        let answer = call().received_at(second(59)).to(&instance, handle).await;
        assert_eq!(
            (answer.status, answer.headers["x-minute"].as_bytes()),
            (200, &b"2026-11-20T23:20:00Z"[..])
        );
        for (received, by) in [(56, "6s"), (68, "6s")] {
            let late = call().received_at(second(received)).to(&instance, handle).await;
            assert_eq!(late.status, 503, "{by}");
            let reason = late.headers["x-error"].to_str().expect("ASCII");
            assert!(reason.starts_with("NOT_RECORDED "), "{reason}");
        }
    }

    #[tokio::test]
    async fn the_answer_contains_its_minute() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at(second(59));
        for status in [200, 409] {
            let answer = Call::new("GET", "/api/verve/accept?id=42").to(&instance, handle).await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.headers["x-minute"], "2026-11-20T23:20:00Z");
            assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        }
    }

    /// Number of ids, each sent once more as a duplicate, and of instances that share them.
    const IDS: usize = 4_000;
    const INSTANCES: usize = 8;

    /// The count is exact with duplicates spread over instances and shards, and a cached duplicate
    /// costs no call.
    ///
    /// More ids would prove nothing more. Each of the 256 shards gets some 16 ids, two from each
    /// instance on average, and larger numbers reach no other code: a page of a shard's query ends
    /// at a megabyte, after 10 000 ids of 100 bytes, and an instance's cache is full after
    /// 1 000 000. The benchmark `bench uniques` closes a minute of 600 000 ids.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ids_and_their_duplicates_over_eight_instances_are_counted_exactly() {
        let cloud = Cloud::start().await;
        let instances: Vec<Instance> =
            (0..INSTANCES).map(|_| cloud.instance().at(second(30))).collect();
        for instance in &instances {
            instance.app.uniques().warm(second(0)).await.expect("a store");
            drop(instance.transport.take_calls());
        }
        let ids = || (0..IDS).map(|id| (id, id % INSTANCES));
        assert_eq!(send_all(&instances, ids()).await, (IDS, 0));
        assert_eq!(cost(&instances), (IDS, IDS), "one call and one write unit per id");

        // Half of the duplicates reach the instance that has cached the id, half another one.
        let duplicates =
            || ids().map(|(id, instance)| (id, (instance + id / INSTANCES % 2) % INSTANCES));
        let uncached = duplicates().zip(ids()).filter(|(again, first)| again.1 != first.1).count();
        assert_eq!(uncached, IDS / 2);
        assert_eq!(send_all(&instances, duplicates()).await, (0, IDS));
        assert_eq!(cost(&instances).0, uncached, "no call if the id is cached, otherwise one");

        let tick = instances[0].app.minute_closer().tick(second(75)).await.expect("a tick");
        assert_eq!(tick.published, 2, "the minute, and the one before");
        let minute = Minute::of(second(30));
        let uniques = instances[0].app.uniques();
        let counts = uniques.counts(minute, minute, DEFAULT_LIMIT).await.expect("a page").rows;
        assert_eq!(counts.iter().map(|count| count.unique_ids).collect::<Vec<_>>(), [IDS as u64]);
    }

    /// Sends each id to its instance, all instances concurrently. Returns the number of answers
    /// that were `ok` and of those that were duplicates.
    async fn send_all(
        instances: &[Instance],
        ids: impl Iterator<Item = (usize, usize)>,
    ) -> (usize, usize) {
        let mut shares = vec![Vec::new(); INSTANCES];
        ids.for_each(|(id, instance)| shares[instance].push(id));
        let tasks = instances.iter().cloned().zip(shares).map(|(instance, share)| {
            tokio::spawn(async move {
                let (mut ok, mut duplicates) = (0, 0);
                for id in share {
                    let call = Call::new("GET", &format!("/api/verve/accept?id={id}"));
                    match call.response(&instance, handle).await.status().as_u16() {
                        200 => ok += 1,
                        409 => duplicates += 1,
                        status => panic!("{status}"),
                    }
                }
                (ok, duplicates)
            })
        });
        let (mut ok, mut duplicates) = (0, 0);
        for task in tasks.collect::<Vec<_>>() {
            let share = task.await.expect("answers");
            (ok, duplicates) = (ok + share.0, duplicates + share.1);
        }
        (ok, duplicates)
    }

    /// Takes the calls that the instances have sent. Returns their number, and the number of those
    /// that consumed a write unit.
    fn cost(instances: &[Instance]) -> (usize, usize) {
        let sent: Vec<_> =
            instances.iter().flat_map(|instance| instance.transport.take_calls()).collect();
        assert!(
            sent.iter()
                .all(|call| call.operation == "PutItem" && [0.0, 1.0].contains(&call.write_units))
        );
        (sent.len(), sent.iter().filter(|call| call.write_units > 0.0).count())
    }

    #[tokio::test]
    async fn a_duplicate_is_ok_if_the_setting_accepts_duplicates() {
        let cloud = Cloud::start().await;
        let instance = cloud
            .instance_with(|config| config.uniques.duplicates = Duplicates::Accept)
            .at(second(0));
        for _ in 0..3 {
            assert_eq!(get(&instance, "id=42").await, (200, "ok".to_owned(), String::new()));
        }
        assert_eq!(
            instance.transport.take_calls().len(),
            3,
            "the shard configuration is read and created, and one id is put"
        );
    }

    #[tokio::test]
    async fn an_invalid_request_fails_and_names_the_field() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
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
            ("id=1&url=http://127.0.0.1/", "url"),
            ("id=1&url=http://0x7f.1/", "url"),
            ("id=1&url=http://169.254.169.254/latest/meta-data/", "url"),
            ("id=1&url=http://[::ffff:10.0.0.1]/", "url"),
            ("id=1&endpoint=http://localhost:8080/", "endpoint"),
            ("id=1&endpoint=gopher://shop.example/", "endpoint"),
            ("id=1&url=https://a.example/&url=https://b.example/", "url"),
            ("id=1&url=https://a.example/&endpoint=https://b.example/", "endpoint"),
            ("id=1&url=https://a.example/&endpoint=https://a.example/", "endpoint"),
        ] {
            let (status, body, reason) = get(&instance, query).await;
            assert_eq!((status, body.as_str()), (400, "failed"), "{query}");
            assert!(reason.starts_with(&format!("INVALID_REQUEST {field}: ")), "{query}: {reason}");
        }
        assert!(instance.transport.take_calls().is_empty(), "no request reached the store");
    }

    #[tokio::test]
    async fn an_id_that_is_not_recorded_is_not_ok() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for (fault, code) in [
            (Fault::Throttle, "NOT_RECORDED "),
            (Fault::Refuse, "OUTCOME_UNKNOWN "),
            (Fault::LoseReply, "OUTCOME_UNKNOWN "),
        ] {
            instance.transport.fail_randomly(1, 1.0, fault);
            let (status, body, reason) = get(&instance, "id=42").await;
            assert_eq!((status, body.as_str()), (503, "failed"), "{fault:?}");
            assert!(reason.starts_with(code), "{fault:?}: {reason}");
            instance.transport.heal();
        }
    }

    #[tokio::test]
    async fn a_callback_is_stored_with_its_id() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for query in [
            "id=1&url=https://shop.example/counted%3Fa=1",
            "id=2&endpoint=https://shop.example/counted%3Fa=1",
        ] {
            assert_eq!(get(&instance, query).await.0, 200);
        }
        let items = cloud.items(once::testing::UNIQUES_TABLE).await;
        let urls: Vec<_> = items.iter().filter_map(|item| item.get("url")?.as_s().ok()).collect();
        assert_eq!(urls, ["https://shop.example/counted?a=1"; 2]);
        let puts = instance
            .transport
            .take_calls()
            .iter()
            .filter(|call| call.operation == "PutItem")
            .count();
        assert_eq!(
            puts,
            1 + 2,
            "the shard configuration, and one put per id: a callback costs no further call"
        );
    }

    #[tokio::test]
    async fn the_sample_event_is_answered() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let response = Call::sample("accept").response(&instance, handle).await;
        assert_eq!(response.status(), 200);
    }
}
