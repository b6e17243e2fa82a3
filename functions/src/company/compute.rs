//! The queue of figures to be computed.

use once::{App, company::ComputeError, sqs::Delivery};

/// Computes the figures of one message, if nobody does it yet.
pub async fn handle(app: App, message: Delivery) -> Result<(), ComputeError> {
    app.companies().compute(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::testing::{COMPANIES_TABLE, Cloud, Fault, delivery, sample_message};

    use super::*;

    #[tokio::test]
    async fn a_message_that_cannot_be_read_is_a_failure() {
        let cloud = Cloud::start().await;
        for body in [
            "",
            "{}",
            r#"{"company":"merchant_001"}"#,
            r#"{"company":"merchant_001","kind":"profit"}"#,
            r#"{"company":"a#b","kind":"sales"}"#,
            r#"{"company":"merchant_001","kind":"sales","days":7}"#,
        ] {
            let failure = handle(cloud.instance().app, delivery(body)).await.expect_err(body);
            assert!(matches!(failure, ComputeError::Unreadable(_)), "{body}: {failure}");
        }
    }

    #[tokio::test]
    async fn a_message_comes_again_while_the_store_does_not_answer() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.transport.fail_randomly(7, 1.0, Fault::Refuse);
        let failure =
            handle(instance.app, sample_message("company-compute")).await.expect_err("no store");
        assert!(matches!(failure, ComputeError::Service(_)), "{failure}");
    }

    #[tokio::test]
    async fn the_sample_is_about_figures_that_nobody_asks_for_and_is_left_alone() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("company-compute"))
            .await
            .expect("nothing to do again");
        assert!(cloud.items(COMPANIES_TABLE).await.is_empty());
    }
}
