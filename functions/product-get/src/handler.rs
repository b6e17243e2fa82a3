//! `GET /products/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// The product with its stock.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id: u32 = http::path(&request, "id", "a product's number")?;
    let product = app.orders().product(id).await?.ok_or_else(|| ApiError::product_not_found(id))?;
    Ok(Reply::ok(&product))
}
