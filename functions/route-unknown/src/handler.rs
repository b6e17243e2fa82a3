//! `$default`: whatever no other function serves.

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// 405 where the path takes other methods, else 404.
pub async fn handle(_: App, request: Request) -> Result<Reply, ApiError> {
    let path = request.uri().path();
    Err(match http::allowed_methods(path) {
        Some(allowed) => ApiError::method_not_allowed(request.method().as_str(), &allowed),
        None => ApiError::route_not_found(path),
    })
}
