//! `GET /health`

use lambda_http::http::{StatusCode, header};
use once::{
    App,
    http::{ApiError, Reply, Request},
    operations::Status,
};

/// Checks the services that the deployment depends on: 503 if the database does not answer.
pub async fn handle(app: App, _: Request) -> Result<Reply, ApiError> {
    let report = app.health().report(app.now()).await;
    let status = match report.status {
        Status::Healthy | Status::Degraded => StatusCode::OK,
        Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok(Reply::json(status, &report).header(header::CACHE_CONTROL, "no-store"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use once::testing::{Answer, Call, Cloud, Fault, Instance};
    use serde_json::json;

    use super::*;

    const NOON: &str = "2026-11-20T12:00:00.000Z";
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// At noon, with a secret.
    async fn noon() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        cloud.services().set_parameter("/once/webhook-secret", SECRET);
        let instance = cloud.instance().at(NOON.parse().expect("a time"));
        (cloud, instance)
    }

    async fn get(instance: &Instance) -> Answer {
        Call::new("GET", "/health").to(instance, handle).await
    }

    #[tokio::test]
    async fn all_is_well_where_all_answers() {
        let (_cloud, instance) = noon().await;
        let answer = get(&instance).await;
        assert_eq!(
            (answer.status, &answer.headers["cache-control"]),
            (200, &"no-store".parse().expect("ascii"))
        );
        let uptime = answer.body["uptime"].as_str().expect("a text");
        assert!(uptime.ends_with('s'), "{uptime}");
        let expected = json!({
            "status": "healthy",
            "version": env!("CARGO_PKG_VERSION"),
            "checks": {"database": "healthy", "queues": "healthy", "files": "healthy", "webhook_secret": "healthy"},
            "uptime": uptime,
            "timestamp": NOON,
        });
        assert_eq!(answer.body, expected);
    }

    #[tokio::test]
    async fn what_only_some_features_need_degrades_and_nothing_of_the_inside_is_told() {
        for (operation, check) in [
            ("GetQueueAttributes", "queues"),
            ("HeadBucket", "files"),
            ("GetParameter", "webhook_secret"),
        ] {
            // An instance of its own: one remembers the secret.
            let (_cloud, instance) = noon().await;
            instance.transport.fail_always(operation, Fault::Refuse);
            let answer = get(&instance).await;
            assert_eq!(
                (answer.status, &answer.body["status"]),
                (200, &json!("degraded")),
                "{operation}"
            );
            let mut expected = json!({"database": "healthy", "queues": "healthy", "files": "healthy", "webhook_secret": "healthy"});
            expected[check] = "unhealthy".into();
            assert_eq!(answer.body["checks"], expected);
            assert!(!answer.body.to_string().contains("refused"));
        }
    }

    #[tokio::test]
    async fn without_the_database_nothing_works() {
        let (_cloud, instance) = noon().await;
        instance.transport.fail_always("GetItem", Fault::Throttle);
        let answer = get(&instance).await;
        assert_eq!((answer.status, &answer.body["status"]), (503, &json!("unhealthy")));
        assert_eq!(answer.body["checks"]["database"], "unhealthy");
        assert_eq!(answer.body["checks"]["queues"], "healthy");
        assert_eq!(answer.headers["cache-control"], "no-store");
        instance.transport.heal();
        assert_eq!(get(&instance).await.status, 200);
    }

    #[tokio::test]
    async fn who_answers_too_late_does_not_answer_and_all_are_asked_at_the_same_time() {
        let (_cloud, instance) = noon().await;
        instance.transport.fail_randomly(1, 1.0, Fault::Delay(Duration::from_mins(1)));
        let began = Instant::now();
        let answer = get(&instance).await;
        let took = began.elapsed();
        assert!((Duration::from_millis(900)..Duration::from_secs(20)).contains(&took), "{took:?}");
        assert_eq!((answer.status, &answer.body["status"]), (503, &json!("unhealthy")));
        let none = json!({
            "database": "unhealthy", "queues": "unhealthy", "files": "unhealthy", "webhook_secret": "unhealthy",
        });
        assert_eq!(answer.body["checks"], none);
    }

    #[tokio::test]
    async fn a_secret_that_nobody_has_set_is_no_secret() {
        let cloud = Cloud::start().await;
        let answer = get(&cloud.instance()).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("degraded")));
        assert_eq!(answer.body["checks"]["webhook_secret"], "unhealthy");
    }

    #[tokio::test]
    async fn an_instance_reads_each_table_and_each_queue_once_and_the_secret_once_in_five_minutes()
    {
        let (_cloud, instance) = noon().await;
        let called = |names: &[(&str, usize)]| {
            let calls = names.iter().flat_map(|&(name, times)| vec![name.to_owned(); times]);
            calls.collect::<Vec<_>>()
        };
        let sorted = || {
            let (mut calls, writes, reads) = instance.transport.take_cost();
            calls.sort_unstable();
            (calls, writes, reads)
        };
        get(&instance).await;
        let first = called(&[
            ("GetItem", 6),
            ("GetParameter", 1),
            ("GetQueueAttributes", 6),
            ("HeadBucket", 1),
        ]);
        assert_eq!(sorted(), (first, 0.0, 6.0));
        get(&instance).await;
        let again = called(&[("GetItem", 6), ("GetQueueAttributes", 6), ("HeadBucket", 1)]);
        assert_eq!(sorted(), (again, 0.0, 6.0));
    }

    #[tokio::test]
    async fn the_sample_is_answered() {
        let (_cloud, instance) = noon().await;
        let response = Call::sample("health").response(&instance, handle).await;
        assert_eq!(response.status(), 200);
    }
}
