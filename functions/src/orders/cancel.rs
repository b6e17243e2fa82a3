//! `POST /orders/{id}/cancel`

use once::{
    App,
    http::{ApiError, Reply, Request},
};

/// Cancels an order; cancelled before, it is answered as it stands.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = super::order_id(&request)?;
    Ok(Reply::ok(&app.orders().cancel(id, app.now()).await?))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, sample};

    use super::*;

    #[tokio::test]
    async fn a_second_cancellation_is_answered_like_the_first() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.product(100).await;
        let placed = instance.order(1, 2, "user-123").await;

        let path = format!("/orders/{}/cancel", placed.id);
        let first = Call::new("POST", &path).to(&instance, handle).await;
        assert_eq!((first.status, first.body["status"].as_str()), (200, Some("CANCELLED")));
        let second = Call::new("POST", &path).to(&instance, handle).await;
        assert_eq!((second.status, second.body), (200, first.body));
        assert_eq!(
            instance.app.orders().product(1).await.expect("a read").expect("the product").stock,
            100
        );
    }

    #[tokio::test]
    async fn the_sample_asks_for_an_order_that_is_not_there() {
        let cloud = Cloud::start().await;
        let refused =
            handle(cloud.instance().app, sample("order-cancel")).await.expect_err("no order");
        let id = "0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("a UUID");
        assert_eq!(refused, ApiError::order_not_found(id));
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
        let cloud = Cloud::start().await;
        let answer = Call::new("POST", "/orders/7/cancel").to(&cloud.instance(), handle).await;
        assert_eq!((answer.status, answer.code(), answer.field()), (400, "INVALID_REQUEST", "id"));
    }
}
