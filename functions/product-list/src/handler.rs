//! `GET /products?limit&cursor`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    orders::{Limit, ProductId},
};
use serde::Deserialize;
use serde_json::json;

/// Which products.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    #[serde(default = "Limit::default_page")]
    limit: Limit,
    cursor: Option<ProductId>,
}

/// Products, newest first, with their stock.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let Query { limit, cursor } = http::query(&request)?;
    let page = app.orders().list_products(limit, cursor).await?;
    let next_cursor = page.next.map(|id| id.to_string());
    Ok(Reply::ok(&json!({"products": page.rows, "next_cursor": next_cursor})))
}
