//! Worker of the queue of figures to be computed.

use once::{App, company::ComputeError, sqs::Delivery};

/// Computes the figures of one message, unless they are computed or another worker computes them.
pub async fn handle(app: App, message: Delivery) -> Result<(), ComputeError> {
    app.companies().compute(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::testing::{COMPANIES_TABLE, Cloud, Fault, delivery, sample_message};

    use super::*;

    #[tokio::test]
    async fn an_invalid_message_is_a_failure() {
        let cloud = Cloud::start().await;
        for body in [
            "",
            "{}",
            r#"{"company":"merchant_001"}"#,
            r#"{"company":"merchant_001","kind":"profit"}"#,
            r#"{"company":"a#b","kind":"sales"}"#,
            r#"{"company":"merchant_001","kind":"sales","days":7}"#,
        ] {
            let error = handle(cloud.instance().app, delivery(body)).await.expect_err(body);
            assert!(matches!(error, ComputeError::InvalidMessage(_)), "{body}: {error}");
        }
    }

    #[tokio::test]
    async fn a_message_is_redelivered_while_the_store_is_unavailable() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.transport.fail_randomly(7, 1.0, Fault::Refuse);
        let error =
            handle(instance.app, sample_message("company-compute")).await.expect_err("no store");
        assert!(matches!(error, ComputeError::Service(_)), "{error}");
    }

    #[tokio::test]
    async fn the_sample_message_without_a_claim_is_ignored() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("company-compute"))
            .await
            .expect("an ignored message");
        assert!(cloud.items(COMPANIES_TABLE).await.is_empty());
    }
}
