//! `GET /orders/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};
use uuid::Uuid;

/// The order with its product as it is now.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id: Uuid = http::path(&request, "id", "a UUID")?;
    let order = app.orders().get(id).await?.ok_or_else(|| ApiError::order_not_found(id))?;
    Ok(Reply::ok(&order))
}
