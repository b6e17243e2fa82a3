//! HTTP: requests, replies, and which error has which status.

mod error;
mod reply;
mod request;
mod serve;

pub use error::{ApiError, Problem};
pub use reply::Reply;
pub use request::{
    api_id, body, caller, header, idempotency_key, if_match, if_none_match, path_parameter, query,
    received_at,
};
pub use serve::{Handler, Handling, erase, handle, serve, serve_concurrent};

pub use crate::lifecycle::{Error, prewarm};
pub use lambda_http::{Body, Request, Response};
