//! Worker of the plan queue.

use once::{App, settlement::WorkError, sqs::Delivery};

/// Plans one settlement.
pub async fn handle(app: App, message: Delivery) -> Result<(), WorkError> {
    app.settlement().plan(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, SETTLEMENTS_TABLE, delivery, sample_message};

    use super::*;

    #[tokio::test]
    async fn an_unreadable_message_is_an_error() {
        let cloud = Cloud::start().await;
        for body in ["", "{}", r#"{"kind":"plan"}"#, r#"{"kind":"sweep"}"#] {
            let error = handle(cloud.instance().app, delivery(body)).await.expect_err(body);
            assert!(matches!(error, WorkError::Unreadable(_)), "{body}: {error}");
        }
    }

    #[tokio::test]
    async fn a_message_of_another_queue_is_an_error() {
        let cloud = Cloud::start().await;
        for other in ["settlement-batch", "settlement-finish"] {
            let error = handle(cloud.instance().app, sample_message(other)).await.expect_err(other);
            assert!(matches!(error, WorkError::WrongQueue), "{other}: {error}");
        }
    }

    #[tokio::test]
    async fn a_message_that_is_early_is_postponed_until_its_time() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        instance.create_settlement("2026-11-20", "2026-11-20").await;
        let plan = cloud.services().take_queued()[0].delivery();
        let early = handle(instance.app.clone(), plan.clone()).await.expect_err("too early");
        assert!(matches!(early, WorkError::TooEarly(_)), "{early}");
        assert_eq!(cloud.services().visibility_changes(), [("receipt".to_owned(), 30)]);
        assert!(cloud.services().take_queued().is_empty());

        let later = instance.at("2026-11-20T12:00:30Z".parse().expect("a time"));
        handle(later.app, plan).await.expect("planned");
        assert_eq!(
            cloud.services().take_queued().len(),
            1,
            "a day without sales is finished immediately"
        );
    }

    #[tokio::test]
    async fn the_sample_names_a_settlement_that_does_not_exist_and_is_ignored() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("settlement-plan")).await.expect("ignored");
        assert!(
            cloud.items(SETTLEMENTS_TABLE).await.is_empty() && cloud.services().files().is_empty()
        );
    }
}
