//! `GET /orders/{id}`

use once::{
    App,
    http::{ApiError, Reply, Request},
};

/// The order with its product as it is now.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = super::order_id(&request)?;
    let order = app.orders().get(id).await?.ok_or_else(|| ApiError::order_not_found(id))?;
    Ok(Reply::ok(&order))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, sample};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn an_order_is_shown_with_its_product_as_it_is_now() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.product(100).await;
        let placed = instance.order(1, 2, "user-123").await;

        let answer =
            Call::new("GET", &format!("/orders/{}", placed.id)).to(&instance, handle).await;
        let mut expected = serde_json::to_value(&placed).expect("JSON");
        expected["product"] =
            json!({"id": 1, "name": "Limited Edition Product", "stock": 98, "price": 1000});
        assert_eq!((answer.status, answer.body), (200, expected));
    }

    #[tokio::test]
    async fn the_sample_asks_for_an_order_that_is_not_there() {
        let cloud = Cloud::start().await;
        let refused =
            handle(cloud.instance().app, sample("order-get")).await.expect_err("no order");
        let id = "0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("a UUID");
        assert_eq!(refused, ApiError::order_not_found(id));
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for id in [
            "1",
            "not-a-uuid",
            "0199a3c45e6f7a8b9c0d1e2f3a4b5c6d",
            "{0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d}",
            "0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6",
            "%00",
            "ORDER",
        ] {
            let answer = Call::new("GET", &format!("/orders/{id}")).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
    }
}
