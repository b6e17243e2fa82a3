//! `POST /products/{id}/restock`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    orders::{NewStock, ProductId},
};

/// Adds stock, once per idempotency key.
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

    async fn shop() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.product(100).await;
        (cloud, instance)
    }

    fn post(id: &str, body: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/products/{id}/restock")).body(body)
    }

    #[tokio::test]
    async fn stock_is_added_once_per_key() {
        let (_cloud, instance) = shop().await;
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
    async fn the_sample_adds_fifty() {
        let (_cloud, instance) = shop().await;
        assert!(handle(instance.app.clone(), sample("product-restock")).await.is_ok());
        assert_eq!(
            instance.app.orders().product(1).await.expect("a read").expect("the product").stock,
            150
        );
    }

    #[tokio::test]
    async fn bad_input_is_refused_by_name() {
        let (_cloud, instance) = shop().await;
        for (id, body, field) in [
            ("x", json!({"quantity": 1}), "id"),
            ("1", json!({}), "quantity"),
            ("1", json!({"quantity": 0}), "quantity"),
            ("1", json!({"quantity": -5}), "quantity"),
            ("1", json!({"quantity": "5"}), "quantity"),
            ("1", json!({"quantity": 5_000_000_000_u64}), "quantity"),
            ("1", json!({"quantity": 1, "lane": 3}), "lane"),
            ("1", json!([1]), "body"),
        ] {
            let answer = post(id, &body).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", field),
                "{body}: {}",
                answer.body
            );
        }
        let unknown = post("9", json!({"quantity": 1})).to(&instance, handle).await;
        assert_eq!((unknown.status, unknown.code()), (404, "PRODUCT_NOT_FOUND"));
    }
}
