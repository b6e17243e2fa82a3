//! `POST /products`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    orders::NewProduct,
};

/// Creates a product with its stock, once per idempotency key.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let product: NewProduct = http::body(&request)?;
    let key = http::idempotency_key(&request)?;
    let created = app.orders().create_product(product, key.as_ref(), app.now()).await?;
    Ok(Reply::created(&format!("/products/{}", created.product.id), &created.product)
        .replayed(created.replayed))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, sample};
    use serde_json::{Value, json};

    use super::*;
    use crate::orders::checks::assert_invalid;

    fn product() -> Value {
        json!({
            "name": "Limited Edition Product",
            "price": 1000,
            "stock": 100,
            "merchant_id": "merchant_001",
        })
    }

    fn post(body: impl std::fmt::Display) -> Call {
        Call::new("POST", "/products").body(body)
    }

    #[tokio::test]
    async fn products_get_small_ids_and_omitted_fields_their_defaults() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let first = post(product()).to(&instance, handle).await;
        assert_eq!(
            (first.status, &first.headers["location"]),
            (201, &"/products/1".parse().expect("ascii"))
        );
        let created_at = first.body["created_at"].clone();
        assert_eq!(
            first.body,
            json!({
                "id": 1, "name": "Limited Edition Product", "price": 1000, "stock": 100,
                "merchant_id": "merchant_001", "lanes": 16, "fee_basis_points": 290,
                "created_at": created_at,
            })
        );
        let second = post(product()).to(&instance, handle).await;
        assert_eq!(second.body["id"], 2);
        let stored = instance.app.orders().product(1).await.expect("a read").expect("stored");
        assert_eq!(serde_json::to_value(stored).expect("JSON"), first.body);
    }

    #[tokio::test]
    async fn a_product_is_created_once_per_key() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let first =
            post(product()).header("idempotency-key", "import-1").to(&instance, handle).await;
        let second =
            post(product()).header("idempotency-key", "import-1").to(&instance, handle).await;
        assert_eq!((second.status, &second.body), (201, &first.body));
        assert_eq!(second.headers["idempotent-replayed"], "true");
        let mut other = product();
        other["name"] = json!("Other");
        let other = post(other).header("idempotency-key", "import-1").to(&instance, handle).await;
        assert_eq!((other.status, other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    }

    #[tokio::test]
    async fn merchants_may_number_their_imports_alike() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for (id, merchant) in [(1, "merchant_001"), (2, "merchant_002")] {
            let mut product = product();
            product["merchant_id"] = json!(merchant);
            let product = post(product).header("idempotency-key", "import-1");
            let answer = product.to(&instance, handle).await;
            assert_eq!((answer.status, &answer.body["id"]), (201, &json!(id)), "{merchant}");
            assert!(!answer.headers.contains_key("idempotent-replayed"));
        }
    }

    #[tokio::test]
    async fn the_sample_event_creates_a_product() {
        let cloud = Cloud::start().await;
        assert!(handle(cloud.instance().app, sample("product-create")).await.is_ok());
    }

    #[tokio::test]
    async fn invalid_input_is_rejected_with_its_field() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for (field, value) in [
            ("name", json!("")),
            ("name", json!("x".repeat(201))),
            ("name", json!(null)),
            ("price", json!(-1)),
            ("price", json!(9.99)),
            ("price", json!(1_000_000_001)),
            ("stock", json!(-1)),
            ("stock", json!("100")),
            ("stock", json!(u64::MAX)),
            ("merchant_id", json!("")),
            ("merchant_id", json!("a#b")),
            ("merchant_id", json!("..")),
            ("merchant_id", json!("m".repeat(65))),
            ("lanes", json!(0)),
            ("lanes", json!(33)),
            ("fee_basis_points", json!(10_001)),
            ("colour", json!("red")),
        ] {
            let mut product = product();
            product[field] = value;
            let answer = post(&product).to(&instance, handle).await;
            assert_invalid(&answer, field, product);
        }
        let page = instance
            .app
            .orders()
            .list_products(once::cursor::DEFAULT_LIMIT, None)
            .await
            .expect("a page");
        assert!(page.rows.is_empty());
    }
}
