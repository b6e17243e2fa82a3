//! `GET /products?limit&cursor`

use once::{
    App,
    cursor::{Filter, Paging},
    http::{self, ApiError, Reply, Request},
    orders::ProductId,
};

/// Lists products, newest first, with their stock.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let Paging { limit, cursor } = http::query::<Paging<ProductId>>(&request)?;
    let filter = Filter::of("products");
    let page = app.orders().list_products(limit, filter.place(cursor)?).await?;
    Ok(Reply::ok(&filter.listed("products", page)))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud};

    use super::*;
    use crate::orders::checks::{
        assert_empty_list, assert_invalid, assert_invalid_paging, read_two_pages,
    };

    #[tokio::test]
    async fn products_are_listed_newest_first_page_by_page() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for stock in 1..=3 {
            instance.create_product(stock).await;
        }
        let products = read_two_pages(&instance, "/products", "products", handle).await;
        let stock: Vec<_> = products.iter().map(|product| product["stock"].as_u64()).collect();
        assert_eq!(stock, [Some(3), Some(2), Some(1)]);
    }

    #[tokio::test]
    async fn a_list_without_products_is_an_empty_page() {
        assert_empty_list("product-list", "/products", "products", handle).await;
    }

    #[tokio::test]
    async fn invalid_parameters_are_rejected() {
        assert_invalid_paging("/products", handle).await;
        let cloud = Cloud::start().await;
        let answer = Call::new("GET", "/products?offset=1").to(&cloud.instance(), handle).await;
        assert_invalid(&answer, "offset", "offset=1");
    }
}
