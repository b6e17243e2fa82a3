//! The border to callers: what a request is, what an answer is, and which failure has which status.

mod answer;
mod error;
mod request;
mod routes;
mod serve;

pub use answer::Reply;
pub use error::{ApiError, Problem};
pub use request::{
    api_id, body, company_id, header, idempotency_key, if_match, job_id, job_of_file, knows, order_id, product_id,
    query, task_id,
};
pub use routes::{ROUTES, Route, access, allowed_methods};
pub use serve::{handle, serve, serve_many};

pub use crate::lifecycle::{Error, warm};
pub use lambda_http::{Body, Request, Response};
