//! The action that calls a webhook: one signed `POST`, with the same `webhook-id` in all attempts
//! of a run.

use serde::Serialize;
use serde_json::{json, value::RawValue};

use super::{Attempt, Failure};
use crate::{
    json::{FieldError, Object, Value},
    webhook::{Delivery, Guard, Outcome, WebhookUrl, Webhooks},
};

/// A call of a webhook.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WebhookCall {
    /// The receiver.
    pub url: WebhookUrl,
    /// A JSON object of at most 8 KB; the default is
    /// `{"job_id":…,"name":…,"run_id":…,"due_at":…}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// A JSON object of at most [`MAX_BODY_BYTES`], byte for byte as the request has it: its numbers
/// may be beyond any type, and a signature may be over its bytes.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Body(Box<RawValue>);

/// The maximum size of a body in bytes: it is part of the job, which is read and written whole.
const MAX_BODY_BYTES: usize = 8 * 1_024;

impl Body {
    fn read(value: Value<'_>) -> Result<Self, FieldError> {
        match value.raw().get().len() {
            _ if !value.is_object() => Err(FieldError::new("", "must be an object")),
            length if length > MAX_BODY_BYTES => {
                let problem =
                    format!("must be at most {MAX_BODY_BYTES} bytes of JSON, not {length}");
                Err(FieldError::new("", problem))
            }
            _ => Ok(Self(value.raw().to_owned())),
        }
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl WebhookCall {
    /// Reads the members of the action that are not its type.
    pub(super) fn read(mut call: Object<'_>) -> Result<Self, FieldError> {
        let url = call.require("url")?;
        let body = call.take_value("body").filter(|body| !body.is_null());
        let body = body.map(Body::read).transpose().map_err(|error| error.within("body"))?;
        call.finish().map(|()| Self { url, body })
    }

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
            Some(Body(body)) => body.get().to_owned(),
            None => json!({
                "job_id": occurrence.job,
                "name": name,
                "run_id": occurrence.run,
                "due_at": occurrence.due_at,
            })
            .to_string(),
        };
        let delivery =
            Delivery { url: &self.url, id: &occurrence.run.into(), body: body.as_bytes() };
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
