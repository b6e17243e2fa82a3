//! `GET /products/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    orders::ProductId,
};

/// Returns a product with its stock.
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
    use crate::products::checks::assert_product_ids;

    #[tokio::test]
    async fn a_product_is_returned_with_its_stock() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.create_product(7).await;
        let answer = Call::new("GET", "/products/1").to(&instance, handle).await;
        assert_eq!(
            (answer.status, answer.body["stock"].as_u64(), answer.body["price"].as_u64()),
            (200, Some(7), Some(1000))
        );
        assert!(handle(instance.app.clone(), sample("product-get")).await.is_ok());
    }

    #[tokio::test]
    async fn a_missing_product_is_not_found_and_an_invalid_id_is_rejected() {
        assert_product_ids(|id| Call::new("GET", &format!("/products/{id}")), handle).await;
    }
}
