//! `GET /products/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    orders::ProductId,
};

/// The product with its stock.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id: ProductId = http::path_parameter(&request, "id")?;
    let id = id.get();
    let product = app.orders().product(id).await?.ok_or_else(|| ApiError::product_not_found(id))?;
    Ok(Reply::ok(&product))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, sample};

    use super::*;

    #[tokio::test]
    async fn a_product_is_shown_with_its_stock() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.product(7).await;
        let answer = Call::new("GET", "/products/1").to(&instance, handle).await;
        assert_eq!(
            (answer.status, answer.body["stock"].as_u64(), answer.body["price"].as_u64()),
            (200, Some(7), Some(1000))
        );
        assert!(handle(instance.app.clone(), sample("product-get")).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_no_product_is_not_found_and_what_is_no_id_is_refused() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let answer = Call::new("GET", "/products/9").to(&instance, handle).await;
        assert_eq!((answer.status, answer.code()), (404, "PRODUCT_NOT_FOUND"));
        for id in ["x", "0", "-1", "+1", "1.0", "99999999999"] {
            let answer = Call::new("GET", &format!("/products/{id}")).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
    }
}
