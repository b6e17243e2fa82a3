//! `GET /health`

use lambda_http::http::{StatusCode, header};
use once::{
    App,
    http::{ApiError, Reply, Request},
    operations::Status,
};

/// Checks the services that the deployment depends on: 503 if the database check fails.
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
    use serde_json::{Value, json};

    use super::*;

    const NOON: &str = "2026-11-20T12:00:00.000Z";
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// A deployment with a webhook secret, at noon.
    async fn start() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        cloud.services().set_webhook_secret(SECRET);
        let instance = cloud.instance().at(NOON.parse().expect("a time"));
        (cloud, instance)
    }

    async fn get(instance: &Instance) -> Answer {
        Call::new("GET", "/health").to(instance, handle).await
    }

    /// All checks with this result.
    fn checks(result: &str) -> Value {
        json!({"database": result, "queues": result, "files": result, "webhook_secret": result})
    }

    #[tokio::test]
    async fn a_deployment_whose_checks_all_pass_is_healthy() {
        let (_cloud, instance) = start().await;
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
            "checks": checks("healthy"),
            "uptime": uptime,
            "timestamp": NOON,
        });
        assert_eq!(answer.body, expected);
    }

    #[tokio::test]
    async fn a_failed_check_of_some_features_is_degraded_and_its_cause_is_not_disclosed() {
        for (operation, check) in [
            ("GetQueueAttributes", "queues"),
            ("HeadBucket", "files"),
            ("GetSecretValue", "webhook_secret"),
        ] {
            // A new instance each time: an instance caches the secret.
            let (_cloud, instance) = start().await;
            instance.transport.fail_always(operation, Fault::Refuse);
            let answer = get(&instance).await;
            assert_eq!(
                (answer.status, &answer.body["status"]),
                (200, &json!("degraded")),
                "{operation}"
            );
            let mut expected = checks("healthy");
            expected[check] = "unhealthy".into();
            assert_eq!(answer.body["checks"], expected);
            assert!(!answer.body.to_string().contains("refused"));
        }
    }

    #[tokio::test]
    async fn a_failed_database_check_is_unhealthy() {
        let (_cloud, instance) = start().await;
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
    async fn checks_run_concurrently_and_fail_at_their_deadline() {
        let (_cloud, instance) = start().await;
        instance.transport.fail_randomly(1, 1.0, Fault::Delay(Duration::from_mins(1)));
        let began = Instant::now();
        let answer = get(&instance).await;
        let took = began.elapsed();
        assert!((Duration::from_millis(900)..Duration::from_secs(20)).contains(&took), "{took:?}");
        assert_eq!((answer.status, &answer.body["status"]), (503, &json!("unhealthy")));
        assert_eq!(answer.body["checks"], checks("unhealthy"));
    }

    #[tokio::test]
    async fn a_deployment_without_a_webhook_secret_is_degraded() {
        let cloud = Cloud::start().await;
        let answer = get(&cloud.instance()).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("degraded")));
        assert_eq!(answer.body["checks"]["webhook_secret"], "unhealthy");
    }

    #[tokio::test]
    async fn a_report_reads_each_table_and_queue_once_and_the_secret_once_in_five_minutes() {
        let (_cloud, instance) = start().await;
        let calls = |counts: &[(&str, usize)]| {
            let calls = counts.iter().flat_map(|&(name, count)| vec![name.to_owned(); count]);
            calls.collect::<Vec<_>>()
        };
        let sorted_cost = || {
            let (mut calls, writes, reads) = instance.transport.take_cost();
            calls.sort_unstable();
            (calls, writes, reads)
        };
        get(&instance).await;
        let first = calls(&[
            ("GetItem", 6),
            ("GetQueueAttributes", 6),
            ("GetSecretValue", 1),
            ("HeadBucket", 1),
        ]);
        assert_eq!(sorted_cost(), (first, 0.0, 6.0));
        get(&instance).await;
        let second = calls(&[("GetItem", 6), ("GetQueueAttributes", 6), ("HeadBucket", 1)]);
        assert_eq!(sorted_cost(), (second, 0.0, 6.0));
    }

    #[tokio::test]
    async fn the_sample_event_is_answered() {
        let (_cloud, instance) = start().await;
        let response = Call::sample("health").response(&instance, handle).await;
        assert_eq!(response.status(), 200);
    }
}
