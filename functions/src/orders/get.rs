//! `GET /orders/{id}`

use once::{
    App,
    http::{ApiError, Reply, Request},
};

/// Returns an order with its current product.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = super::permitted_order(&app, &request).await?;
    let order = app.orders().get(id).await?.ok_or_else(|| ApiError::order_not_found(id))?;
    Ok(Reply::ok(&order))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud};
    use serde_json::json;

    use super::*;
    use crate::orders::checks::{
        assert_invalid_order_ids, assert_order_token, assert_sample_not_found,
    };

    #[tokio::test]
    async fn an_order_is_returned_with_its_current_product() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.create_product(100).await;
        let placed = instance.place_order(1, 2, "user-123").await;

        let answer =
            Call::new("GET", &format!("/orders/{}", placed.id)).to(&instance, handle).await;
        let mut expected = serde_json::to_value(&placed).expect("JSON");
        expected["product"] =
            json!({"id": 1, "name": "Limited Edition Product", "stock": 98, "price": 1000});
        assert_eq!((answer.status, answer.body), (200, expected));
    }

    #[tokio::test]
    async fn an_order_is_shown_to_the_holder_of_its_token_only() {
        assert_order_token(|id| Call::new("GET", &format!("/orders/{id}")), handle).await;
    }

    #[tokio::test]
    async fn the_order_of_the_sample_event_does_not_exist() {
        assert_sample_not_found("order-get", handle).await;
    }

    #[tokio::test]
    async fn an_invalid_id_is_rejected() {
        let call = |id: &str| Call::new("GET", &format!("/orders/{id}"));
        assert_invalid_order_ids(call, handle).await;
    }
}
