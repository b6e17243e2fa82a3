//! `POST /orders/{id}/cancel`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};
use uuid::Uuid;

/// Cancels an order; cancelled before, it is answered as it stands.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id: Uuid = http::path(&request, "id", "a UUID")?;
    Ok(Reply::ok(&app.orders().cancel(id, app.now()).await?))
}
