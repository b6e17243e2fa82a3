//! `POST /orders/{id}/cancel`

use once::{
    App,
    http::{ApiError, Reply, Request},
};

/// Cancels an order and returns it. An order that is already canceled is returned unchanged.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = super::permitted_order(&app, &request).await?;
    Ok(Reply::ok(&app.orders().cancel(id, app.now()).await?))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud};

    use super::*;
    use crate::orders::checks::{
        assert_invalid_order_ids, assert_order_token, assert_sample_not_found,
    };

    #[tokio::test]
    async fn a_second_cancellation_returns_the_same_order() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.create_product(100).await;
        let placed = instance.place_order(1, 2, "user-123").await;

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
    async fn an_order_is_canceled_by_the_holder_of_its_token_only() {
        assert_order_token(|id| Call::new("POST", &format!("/orders/{id}/cancel")), handle).await;
    }

    #[tokio::test]
    async fn the_order_of_the_sample_event_does_not_exist() {
        assert_sample_not_found("order-cancel", handle).await;
    }

    #[tokio::test]
    async fn an_invalid_id_is_rejected() {
        let call = |id: &str| Call::new("POST", &format!("/orders/{id}/cancel"));
        assert_invalid_order_ids(call, handle).await;
    }
}
