//! Each minute, by a rule: asks again for the work that a dead process has left.

use once::{App, aws::ServiceError};

/// Looks at every job that is not over.
pub async fn handle(app: App) -> Result<(), ServiceError> {
    app.settlement().resend_stalled(app.now()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, Fault};

    use super::*;

    #[tokio::test]
    async fn a_queued_job_is_asked_for_again_after_two_quiet_minutes_and_not_before() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let at = |time: &str| instance.at(format!("2026-11-20T{time}Z").parse().expect("a time"));
        at("12:00:00").job("2026-11-18", "2026-11-19").await;
        let plan = cloud.services().take_queued();
        for (tick, resent) in [
            ("12:01:59.999", false),
            ("12:02:00", true),
            ("12:03:00", false),
            // The next time after twice as long.
            ("12:05:59.999", false),
            ("12:06:00", true),
        ] {
            handle(at(tick).app).await.expect("a tick");
            let expected = if resent { plan.clone() } else { Vec::new() };
            assert_eq!(cloud.services().take_queued(), expected, "{tick}");
        }
    }

    #[tokio::test]
    async fn a_job_that_is_over_is_left_alone() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        instance.job("2026-11-18", "2026-11-19").await;
        cloud.deliver_all(&instance).await;
        handle(instance.at("2026-11-20T13:00:00Z".parse().expect("a time")).app)
            .await
            .expect("a tick");
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn a_tick_that_cannot_reach_the_store_is_a_failure() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.transport.fail_randomly(1, 1.0, Fault::Refuse);
        handle(instance.app.clone()).await.expect_err("the next tick does it");
    }
}
