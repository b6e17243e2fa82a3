//! Reading the body of a request.

use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use tokio::time::timeout;

use super::error::GatewayError;

/// Reads a body of at most `limit` bytes, within `time`. One that declares to be longer is not
/// read at all.
pub(super) async fn read(
    body: Incoming,
    limit: usize,
    time: Duration,
) -> Result<Bytes, GatewayError> {
    if usize::try_from(body.size_hint().lower()).is_ok_and(|declared| declared > limit) {
        return Err(GatewayError::BodyTooLarge);
    }
    match timeout(time, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(GatewayError::BodyTooLarge),
        Ok(Err(_)) => Err(GatewayError::BadRequest),
        Err(_) => Err(GatewayError::RequestTimeout),
    }
}
