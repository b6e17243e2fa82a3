//! SQS's JSON protocol: AWS JSON 1.0, as the SDKs and the AWS CLI speak it.
//!
//! An operation or parameter that is not supported is refused by name.

mod batch;
mod deliveries;
mod digest;
mod fault;
mod long_poll;
mod management;
mod receive;
mod send;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Error, Queues, Receipt};
use crate::json_call::{self, JSON_1_0};
use fault::{Fault, Kind};

/// The header by which SDKs recognise errors. It has the codes of SQS's older protocol.
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

/// The answer to a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Response {
    pub status: u16,
    /// The value of the header [`QUERY_ERROR`].
    pub query_error: Option<String>,
    pub body: Value,
    /// Set if a receive found no message and its caller is ready to wait for one.
    pub long_poll: Option<LongPoll>,
}

/// A receive that waits for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LongPoll {
    /// The name of the queue.
    pub queue: String,
    /// How long to wait since the first call, in seconds: at most 20.
    pub wait_s: u32,
}

impl From<Value> for Response {
    fn from(body: Value) -> Self {
        Self { status: 200, query_error: None, body, long_poll: None }
    }
}

impl From<Response> for http::Response<Bytes> {
    fn from(Response { status, query_error, body, .. }: Response) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_call::with_body(status, body.to_string(), JSON_1_0);
        let query_error = query_error.and_then(|error| HeaderValue::try_from(error).ok());
        response.headers_mut().extend(query_error.map(|error| (QUERY_ERROR, error)));
        response
    }
}

impl Queues {
    /// Answers a call at once.
    pub(super) async fn answer(&self, operation: &str, body: &[u8], now: Timestamp) -> Response {
        let response = match operation {
            "SendMessage" => self.send_message(body, now).await,
            "SendMessageBatch" => self.send_message_batch(body, now).await,
            "ReceiveMessage" => self.receive_message(body, now).await,
            "DeleteMessage" => self.delete_message(body).await,
            "DeleteMessageBatch" => self.delete_message_batch(body).await,
            "ChangeMessageVisibility" => self.change_message_visibility(body, now).await,
            "ChangeMessageVisibilityBatch" => self.change_message_visibility_batch(body, now).await,
            "PurgeQueue" => self.purge_queue(body).await,
            "GetQueueAttributes" => self.get_queue_attributes(body, now).await,
            "GetQueueUrl" => self.get_queue_url(body),
            "ListQueues" => self.list_queues(body),
            "StartMessageMoveTask" => self.start_message_move_task(body, now).await,
            _ => Err(Fault::new(
                Kind::UnsupportedOperation,
                format!("the operation {operation} is not supported"),
            )),
        };
        response.unwrap_or_else(Response::from)
    }
}

/// Reads the parameters of an operation.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|cause| {
        Fault::new(Kind::InvalidParameterValue, format!("the request is not supported: {cause}"))
    })
}

/// Returns the name of the queue with this URL: the last segment of its path.
fn queue_name(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(_, name)| name)
}

/// Reads a receipt handle of a queue.
fn receipt(queue: &str, handle: &str) -> Result<Receipt, Error> {
    let receipt: Receipt = handle.parse()?;
    if receipt.queue == queue {
        Ok(receipt)
    } else {
        Err(Error::InvalidReceiptHandle(handle.to_owned()))
    }
}
