//! Calling a receiver: one signed `POST`, whose `webhook-id` all attempts of an occurrence share.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Attempt, Failed};
use crate::{
    tagged::FieldError,
    webhook::{Delivery, Guard, Outcome, WebhookUrl, Webhooks},
};

/// A webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Who is called.
    pub url: WebhookUrl,
    /// What is sent, a JSON object of at most 8 KB; without it, `{"job_id":…,"name":…,"run_id":…,"due_at":…}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// A JSON object that is kept as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Body(Map<String, Value>);

/// A body that is too long.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be at most {MOST} bytes of JSON, not {0}")]
pub struct TooLong(usize);

/// Bytes of a body at most: a job is read and written whole.
const MOST: usize = 8 * 1_024;

impl TryFrom<Map<String, Value>> for Body {
    type Error = TooLong;

    fn try_from(body: Map<String, Value>) -> Result<Self, TooLong> {
        match Value::from(body.clone()).to_string().len() {
            length if length > MOST => Err(TooLong(length)),
            _ => Ok(Self(body)),
        }
    }
}

impl From<Body> for Map<String, Value> {
    fn from(body: Body) -> Self {
        body.0
    }
}

impl Call {
    /// What the text of the URL tells; where its name leads is looked at with each attempt.
    pub fn check(&self, guard: Guard) -> Result<(), FieldError> {
        guard.check(&self.url).map_err(|refused| FieldError::new("action.url", refused))
    }

    pub async fn perform(
        &self,
        attempt: Attempt<'_>,
        webhooks: &Webhooks,
    ) -> Result<String, Failed> {
        let Attempt { occurrence, name, now } = attempt;
        let body = match &self.body {
            Some(Body(body)) => Value::from(body.clone()),
            None => {
                json!({"job_id": occurrence.job, "name": name, "run_id": occurrence.run, "due_at": occurrence.due_at})
            }
        };
        let body = body.to_string().into_bytes();
        let delivery = Delivery { url: &self.url, id: &occurrence.run.into(), body: &body };
        match webhooks.send(delivery, now).await {
            Ok(Outcome::Delivered) => Ok("delivered".to_owned()),
            Ok(Outcome::Permanent { reason }) => {
                Err(Failed::ForGood(format!("WEBHOOK_REFUSED: {reason}")))
            }
            Ok(Outcome::Retryable { cause, retry_after }) => Err(Failed::ForNow {
                cause: format!("WEBHOOK_NOT_TAKEN: {cause}"),
                pause: retry_after,
            }),
            Err(cause) => Err(Failed::passing(&cause)),
        }
    }
}
