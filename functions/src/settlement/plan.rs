//! The queue of jobs to be planned.

use once::{App, settlement::WorkError, sqs::Delivery};

/// Plans one job.
pub async fn handle(app: App, message: Delivery) -> Result<(), WorkError> {
    app.settlement().plan(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, SETTLEMENTS_TABLE, delivery, sample_message};

    use super::*;

    #[tokio::test]
    async fn a_message_that_cannot_be_read_is_a_failure() {
        let cloud = Cloud::start().await;
        for body in ["", "{}", r#"{"kind":"plan"}"#, r#"{"kind":"sweep"}"#] {
            let failure = handle(cloud.instance().app, delivery(body)).await.expect_err(body);
            assert!(matches!(failure, WorkError::Unreadable(_)), "{body}: {failure}");
        }
    }

    #[tokio::test]
    async fn a_message_of_another_queue_is_a_failure() {
        let cloud = Cloud::start().await;
        for other in ["settlement-batch", "settlement-finish"] {
            let failure =
                handle(cloud.instance().app, sample_message(other)).await.expect_err(other);
            assert!(matches!(failure, WorkError::Misplaced), "{other}: {failure}");
        }
    }

    #[tokio::test]
    async fn a_message_that_comes_before_its_time_is_postponed_until_then() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        instance.job("2026-11-20", "2026-11-20").await;
        let plan = cloud.services().take_queued()[0].delivery();
        let early = handle(instance.app.clone(), plan.clone()).await.expect_err("too early");
        assert!(matches!(early, WorkError::TooEarly(_)), "{early}");
        assert_eq!(cloud.services().postponed(), [("receipt".to_owned(), 20)]);
        assert!(cloud.services().take_queued().is_empty());

        let later = instance.at("2026-11-20T12:00:20Z".parse().expect("a time"));
        handle(later.app, plan).await.expect("planned");
        assert_eq!(
            cloud.services().take_queued().len(),
            1,
            "a day without sales is to be finished"
        );
    }

    #[tokio::test]
    async fn the_sample_is_about_a_job_that_is_not_there_and_is_left_alone() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("settlement-plan"))
            .await
            .expect("nothing to do again");
        assert!(
            cloud.items(SETTLEMENTS_TABLE).await.is_empty() && cloud.services().files().is_empty()
        );
    }
}
