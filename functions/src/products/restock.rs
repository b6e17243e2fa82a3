//! `POST /products/{id}/restock`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    orders::{NewStock, ProductId},
};

/// Adds units to the stock of a product, once per idempotency key.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id: ProductId = http::path_parameter(&request, "id")?;
    let id = id.get();
    let stock: NewStock = http::body(&request)?;
    let key = http::idempotency_key(&request)?;
    let restocked = app.orders().restock(id, stock, key.as_ref(), app.now()).await?;
    Ok(Reply::ok(&restocked.product).replayed(restocked.replayed))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, Instance, sample};
    use serde_json::json;

    use super::*;
    use crate::{orders::checks::assert_invalid, products::checks::assert_product_ids};

    async fn instance_with_product() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.create_product(100).await;
        (cloud, instance)
    }

    fn post(id: &str, body: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/products/{id}/restock")).body(body)
    }

    #[tokio::test]
    async fn stock_is_added_once_per_key() {
        let (_cloud, instance) = instance_with_product().await;
        let truck = || post("1", json!({"quantity": 50})).header("idempotency-key", "truck-1");
        let first = truck().to(&instance, handle).await;
        assert_eq!((first.status, first.body["stock"].as_u64()), (200, Some(150)));
        let second = truck().to(&instance, handle).await;
        assert_eq!((second.status, second.body["stock"].as_u64()), (200, Some(150)));
        let other = post("1", json!({"quantity": 51}))
            .header("idempotency-key", "truck-1")
            .to(&instance, handle)
            .await;
        assert_eq!((other.status, other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    }

    #[tokio::test]
    async fn the_sample_event_adds_fifty_units() {
        let (_cloud, instance) = instance_with_product().await;
        assert!(handle(instance.app.clone(), sample("product-restock")).await.is_ok());
        assert_eq!(
            instance.app.orders().product(1).await.expect("a read").expect("the product").stock,
            150
        );
    }

    #[tokio::test]
    async fn invalid_input_is_rejected_with_its_field() {
        let (_cloud, instance) = instance_with_product().await;
        for (body, field) in [
            (json!({}), "quantity"),
            (json!({"quantity": 0}), "quantity"),
            (json!({"quantity": -5}), "quantity"),
            (json!({"quantity": "5"}), "quantity"),
            (json!({"quantity": 5_000_000_000_u64}), "quantity"),
            (json!({"quantity": 1, "lane": 3}), "lane"),
            (json!([1]), "body"),
        ] {
            assert_invalid(&post("1", &body).to(&instance, handle).await, field, body);
        }
    }

    #[tokio::test]
    async fn a_missing_product_is_not_found_and_an_invalid_id_is_rejected() {
        assert_product_ids(|id| post(id, json!({"quantity": 1})), handle).await;
    }
}
