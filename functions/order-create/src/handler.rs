//! `POST /orders`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    orders::NewOrder,
};

/// Places an order, once per idempotency key.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let order: NewOrder = http::body(&request)?;
    let key = http::idempotency_key(&request)?;
    let placed = app.orders().place(order, key.as_ref(), app.now()).await?;
    Ok(Reply::created(&format!("/orders/{}", placed.order.id), &placed.order).replayed(placed.replayed))
}
