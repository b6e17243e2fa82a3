//! `POST /products/{id}/restock`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    orders::NewStock,
};

/// Adds stock, once per idempotency key.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id: u32 = http::path(&request, "id", "a product's number")?;
    let stock: NewStock = http::body(&request)?;
    let key = http::idempotency_key(&request)?;
    let restocked = app.orders().restock(id, stock, key.as_ref(), app.now()).await?;
    Ok(Reply::ok(&restocked.product).replayed(restocked.replayed))
}
