//! Handlers of orders.

pub mod cancel;
pub mod create;
pub mod get;
pub mod list;

use once::http::{self, ApiError, Request};
use uuid::{Uuid, fmt::Hyphenated};

/// Reads the order's id in the path.
fn order_id(request: &Request) -> Result<Uuid, ApiError> {
    let id: String = http::path_parameter(request, "id")?;
    let id = id.parse::<Hyphenated>().map(Uuid::from);
    id.map_err(|_| ApiError::invalid("id", "must be a UUID with hyphens"))
}
