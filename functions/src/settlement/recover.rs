//! Resends the work of stalled settlements, each minute by a rule.

use once::{App, aws::ServiceError};

/// Checks every settlement that has not ended.
pub async fn handle(app: App) -> Result<(), ServiceError> {
    app.settlement().resend_stalled(app.now()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, Fault};

    use super::*;

    #[tokio::test]
    async fn a_queued_settlement_is_resent_after_two_minutes_and_not_before() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let at = |time: &str| instance.at(format!("2026-11-20T{time}Z").parse().expect("a time"));
        at("12:00:00").create_settlement("2026-11-18", "2026-11-19").await;
        let plan = cloud.services().take_queued();
        for (tick, resent) in [
            ("12:01:59.999", false),
            ("12:02:00", true),
            ("12:03:00", false),
            // The timeout has doubled.
            ("12:05:59.999", false),
            ("12:06:00", true),
        ] {
            handle(at(tick).app).await.expect("a tick");
            let expected = if resent { plan.clone() } else { Vec::new() };
            assert_eq!(cloud.services().take_queued(), expected, "{tick}");
        }
    }

    #[tokio::test]
    async fn a_settlement_that_has_ended_is_not_resent() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        instance.create_settlement("2026-11-18", "2026-11-19").await;
        cloud.deliver_all(&instance).await;
        handle(instance.at("2026-11-20T13:00:00Z".parse().expect("a time")).app)
            .await
            .expect("a tick");
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn a_tick_that_cannot_reach_the_store_is_an_error() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.transport.fail_randomly(1, 1.0, Fault::Refuse);
        handle(instance.app.clone()).await.expect_err("the store is unreachable");
    }
}
