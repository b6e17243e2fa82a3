//! The worker that a rule invokes each minute: closes the minutes that are due.

use once::{App, aws::ServiceError};

/// Publishes the counts of minutes that have ended, and audits older ones.
pub async fn handle(app: App) -> Result<(), ServiceError> {
    app.minute_closer().tick(app.now()).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use once::{testing::Cloud, time::Minute, uniques::AcceptRequest};

    use super::*;

    #[tokio::test]
    async fn a_tick_publishes_minutes_that_have_ended() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance_with(|config| config.uniques.shards = 2);
        let uniques = instance.app.uniques();
        let before = instance.app.now().minus(std::time::Duration::from_mins(2));
        let request = AcceptRequest {
            id: 7.into(),
            received_at: before,
            now: before,
            token: once::invocation::token(),
            callback: None,
        };
        uniques.accept(&request).await.expect("recorded");
        handle(instance.app.clone()).await.expect("a tick");
        let minute = Minute::of(before);
        let counts = uniques
            .counts(minute, minute, once::uniques::DEFAULT_LIMIT)
            .await
            .expect("a page")
            .rows;
        assert_eq!(counts.iter().map(|count| count.unique_ids).collect::<Vec<_>>(), [1]);
    }

    #[tokio::test]
    async fn a_tick_that_cannot_reach_the_store_fails() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.transport.fail_randomly(1, 1.0, once::testing::Fault::Refuse);
        handle(instance.app.clone()).await.expect_err("the store is unreachable");
    }
}
