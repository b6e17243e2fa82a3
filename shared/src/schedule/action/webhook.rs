//! The action that calls a webhook: one signed `POST`, with the same `webhook-id` in all attempts
//! of a run.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Attempt, Failure};
use crate::{
    tagged::FieldError,
    webhook::{Delivery, Guard, Outcome, WebhookUrl, Webhooks},
};

/// A call of a webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookCall {
    /// The receiver.
    pub url: WebhookUrl,
    /// A JSON object of at most 8 KB; the default is
    /// `{"job_id":…,"name":…,"run_id":…,"due_at":…}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// A JSON object of at most [`MAX_BODY_BYTES`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Body(Map<String, Value>);

/// A body that exceeds [`MAX_BODY_BYTES`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be at most {MAX_BODY_BYTES} bytes of JSON, not {0}")]
pub struct BodyTooLong(usize);

/// The maximum size of a body in bytes: it is part of the job, which is read and written whole.
const MAX_BODY_BYTES: usize = 8 * 1_024;

impl TryFrom<Map<String, Value>> for Body {
    type Error = BodyTooLong;

    fn try_from(body: Map<String, Value>) -> Result<Self, BodyTooLong> {
        match Value::from(body.clone()).to_string().len() {
            length if length > MAX_BODY_BYTES => Err(BodyTooLong(length)),
            _ => Ok(Self(body)),
        }
    }
}

impl From<Body> for Map<String, Value> {
    fn from(body: Body) -> Self {
        body.0
    }
}

impl WebhookCall {
    /// Rejects a URL that must not be called, as far as its text shows. Each attempt checks the
    /// addresses of its host again.
    pub fn check(&self, guard: Guard) -> Result<(), FieldError> {
        guard.check(&self.url).map_err(|blocked| FieldError::new("action.url", blocked))
    }

    pub async fn perform(
        &self,
        attempt: Attempt<'_>,
        webhooks: &Webhooks,
    ) -> Result<String, Failure> {
        let Attempt { occurrence, name, now } = attempt;
        let body = match &self.body {
            Some(Body(body)) => Value::from(body.clone()),
            None => json!({
                "job_id": occurrence.job,
                "name": name,
                "run_id": occurrence.run,
                "due_at": occurrence.due_at,
            }),
        };
        let body = body.to_string().into_bytes();
        let delivery = Delivery { url: &self.url, id: &occurrence.run.into(), body: &body };
        match webhooks.send(delivery, now).await {
            Ok(Outcome::Delivered) => Ok("delivered".to_owned()),
            Ok(Outcome::Permanent { reason }) => {
                Err(Failure::Permanent(format!("WEBHOOK_REFUSED: {reason}")))
            }
            Ok(Outcome::Retryable { cause, retry_after }) => {
                let cause = format!("WEBHOOK_NOT_TAKEN: {cause}");
                Err(Failure::Retryable { cause, retry_after })
            }
            Err(cause) => Err(Failure::service(&cause)),
        }
    }
}
