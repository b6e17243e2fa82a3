//! `POST /test`: a receiver of webhooks for trials, of callbacks of `accept` and of requests of
//! scheduled jobs.

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    json::{FieldError, FromJson, Object, Value},
    uniques::MinuteCount,
    webhook::{MessageId, SignatureHeaders},
};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use tracing::info;

/// The result of verifying a signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum SignatureStatus {
    Valid,
    Invalid,
    Missing,
}

/// A webhook's body: its members in their order, the value of each as it was sent.
struct Webhook(Vec<(String, Box<RawValue>)>);

impl FromJson for Webhook {
    fn from_json(value: Value<'_>) -> Result<Self, FieldError> {
        let members = Object::read(value)?.members();
        Ok(Self(members.map(|(name, value)| (name, value.raw().to_owned())).collect()))
    }
}

impl Webhook {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(member, _)| member == name)
    }

    /// Sets a member, instead of one with the same name.
    fn set(&mut self, name: &str, value: &impl Serialize) {
        self.0.retain(|(member, _)| member != name);
        let value = to_raw_value(value).expect("a text or null");
        self.0.push((name.to_owned(), value));
    }
}

impl Serialize for Webhook {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Answers a webhook with its body, its id and the status of its signature. A body with a member
/// of a [`MinuteCount`] must be one; any other object is accepted.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let mut body: Webhook = http::body(&request)?;
    let is_callback = body.has("minute") || body.has("unique_ids");
    let count = is_callback.then(|| http::body::<MinuteCount>(&request)).transpose()?;
    let webhook_id =
        http::header(&request, "webhook-id").and_then(|id| MessageId::try_from(id.to_owned()).ok());
    let signature = signature_status(&app, &request, webhook_id.as_ref()).await?;
    let id = webhook_id.as_ref().map(MessageId::to_string);
    let status = format!("{signature:?}").to_lowercase();
    if let Some(MinuteCount { minute, unique_ids }) = count {
        info!(%minute, unique_ids, webhook_id = id, signature = status, "Callback received");
    } else {
        info!(webhook_id = id, signature = status, "Webhook received");
    }
    // These replace members of the same names: a sender cannot vouch for its own signature.
    body.set("webhook_id", &webhook_id);
    body.set("signature", &signature);
    Ok(Reply::ok(&body))
}

async fn signature_status(
    app: &App,
    request: &Request,
    id: Option<&MessageId>,
) -> Result<SignatureStatus, ApiError> {
    let headers = (
        id,
        http::header(request, "webhook-timestamp"),
        http::header(request, "webhook-signature"),
    );
    let (Some(id), Some(timestamp), Some(signature)) = headers else {
        return Ok(SignatureStatus::Missing);
    };
    let now = app.now();
    let secrets = app.webhook_secrets().get(now).await?;
    let verified =
        secrets.verify(SignatureHeaders { id, timestamp, signature }, request.body(), now);
    Ok(if verified.is_ok() { SignatureStatus::Valid } else { SignatureStatus::Invalid })
}

#[cfg(test)]
mod tests {
    use once::{
        testing::{Answer, Call, Cloud, Instance},
        webhook::Secrets,
    };
    use serde_json::json;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"minute":"2026-11-20T23:20:00Z","unique_ids":123}"#;

    /// Starts a cloud that has the secret, and an instance in it.
    async fn with_secret() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        cloud.services().set_webhook_secret(SECRET);
        let instance = cloud.instance();
        (cloud, instance)
    }

    /// Sends `body` with the signature of [`BODY`].
    async fn send_signed(instance: &Instance, body: &str) -> Answer {
        let secrets: Secrets = SECRET.parse().expect("a secret");
        let id = MessageId::try_from("count_1795216800_42".to_owned()).expect("an id");
        let timestamp = instance.app.now().as_seconds().to_string();
        let signature = secrets.sign(&id, &timestamp, BODY.as_bytes());
        Call::new("POST", "/test")
            .header("webhook-id", &id.to_string())
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", &signature)
            .body(body)
            .to(instance, handle)
            .await
    }

    #[tokio::test]
    async fn a_callback_is_answered_with_its_body_and_its_signature_status() {
        let (_cloud, instance) = with_secret().await;
        let answer = send_signed(&instance, BODY).await;
        let mut expected = json!({
            "minute": "2026-11-20T23:20:00Z",
            "unique_ids": 123,
            "webhook_id": "count_1795216800_42",
            "signature": "valid",
        });
        assert_eq!((answer.status, &answer.body), (200, &expected));
        // Another count than the signed one.
        let answer = send_signed(&instance, &BODY.replace("123", "124")).await;
        expected["unique_ids"] = 124.into();
        expected["signature"] = "invalid".into();
        assert_eq!((answer.status, answer.body), (200, expected));
    }

    #[tokio::test]
    async fn the_signature_of_an_unsigned_callback_is_missing() {
        let (_cloud, instance) = with_secret().await;
        let answer = Call::new("POST", "/test").body(BODY).to(&instance, handle).await;
        assert_eq!(
            (answer.status, &answer.body["signature"], &answer.body["webhook_id"]),
            (200, &json!("missing"), &json!(null))
        );
    }

    #[tokio::test]
    async fn a_sender_cannot_vouch_for_its_own_signature() {
        let (_cloud, instance) = with_secret().await;
        let body = r#"{"signature":"valid","webhook_id":"mine"}"#;
        let response = Call::new("POST", "/test").body(body).response(&instance, handle).await;
        assert_eq!(
            response.body(),
            &http::Body::from(r#"{"webhook_id":null,"signature":"missing"}"#)
        );
    }

    #[tokio::test]
    async fn the_request_of_a_scheduled_job_may_be_any_object() {
        let (_cloud, instance) = with_secret().await;
        for body in ["{}", r#"{"n":1.5,"of":["a",null]}"#] {
            let answer = Call::new("POST", "/test").body(body).to(&instance, handle).await;
            let mut expected: serde_json::Value = serde_json::from_str(body).expect("JSON");
            expected["webhook_id"] = json!(null);
            expected["signature"] = "missing".into();
            assert_eq!((answer.status, answer.body), (200, expected));
        }
    }

    #[tokio::test]
    async fn members_come_back_as_they_were_sent() {
        let (_cloud, instance) = with_secret().await;
        let body = r#"{"z":761591733749525123177,"a":[1.50, 1e400]}"#;
        let response = Call::new("POST", "/test").body(body).response(&instance, handle).await;
        let expected = body.replace('}', r#","webhook_id":null,"signature":"missing"}"#);
        assert_eq!(response.body(), &http::Body::from(expected));
    }

    #[tokio::test]
    async fn an_invalid_callback_is_refused_with_its_field() {
        let (_cloud, instance) = with_secret().await;
        for (body, field) in [
            ("", "body"),
            ("[]", "body"),
            (r#"{"unique_ids":1}"#, "minute"),
            (r#"{"a":{"b":1,"b":1}}"#, "a.b"),
            (r#"{"minute":"2026-11-20T23:20:30Z","unique_ids":1}"#, "minute"),
            (r#"{"minute":"2026-11-20T23:20:00Z","unique_ids":-1}"#, "unique_ids"),
            (r#"{"minute":"2026-11-20T23:20:00Z","unique_ids":1,"id":7}"#, "id"),
        ] {
            let answer = Call::new("POST", "/test").body(body).to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, field), "{body}");
        }
    }

    #[tokio::test]
    async fn without_a_secret_no_signature_is_verified() {
        let cloud = Cloud::start().await;
        let answer = send_signed(&cloud.instance(), BODY).await;
        assert_eq!((answer.status, answer.code()), (503, "SECRET_UNAVAILABLE"));
    }

    #[tokio::test]
    async fn the_sample_event_is_answered() {
        let (_cloud, instance) = with_secret().await;
        let response = Call::sample("callback-test").response(&instance, handle).await;
        assert_eq!(response.status(), 200);
    }
}
