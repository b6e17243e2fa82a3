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
    Ok(Reply::created(&format!("/products/{}", created.product.id), &created.product).replayed(created.replayed))
}
