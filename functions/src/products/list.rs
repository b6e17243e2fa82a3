//! `GET /products?limit&cursor`

use once::{
    App,
    cursor::Paging,
    http::{self, ApiError, Reply, Request},
    orders::{Product, ProductId},
};
use serde::Serialize;

/// A page.
#[derive(Debug, Serialize)]
struct Listed {
    products: Vec<Product>,
    next_cursor: Option<String>,
}

/// Products, newest first, with their stock.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let Paging { limit, cursor } = http::query::<Paging<ProductId>>(&request)?;
    let page = app.orders().list_products(limit, cursor).await?;
    Ok(Reply::ok(&Listed { products: page.rows, next_cursor: page.next.map(|id| id.to_string()) }))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, sample};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn pages_follow_each_other_by_their_cursor() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for stock in 1..=3 {
            instance.product(stock).await;
        }
        let first = Call::new("GET", "/products?limit=2").to(&instance, handle).await;
        assert_eq!((first.status, first.body["products"][0]["stock"].as_u64()), (200, Some(3)));
        let cursor = first.body["next_cursor"].as_str().expect("more");
        let second =
            Call::new("GET", &format!("/products?cursor={cursor}")).to(&instance, handle).await;
        assert_eq!(
            (second.body["products"].as_array().map(Vec::len), &second.body["next_cursor"]),
            (Some(1), &json!(null))
        );
    }

    #[tokio::test]
    async fn the_sample_lists_nothing_where_there_is_nothing() {
        let cloud = Cloud::start().await;
        assert!(handle(cloud.instance().app, sample("product-list")).await.is_ok());
    }

    #[tokio::test]
    async fn bad_parameters_are_refused_by_name() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("cursor=x", "cursor"),
            ("cursor=-1", "cursor"),
            ("offset=1", "offset"),
        ] {
            let answer =
                Call::new("GET", &format!("/products?{query}")).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", field),
                "{query}: {}",
                answer.body
            );
        }
    }
}
