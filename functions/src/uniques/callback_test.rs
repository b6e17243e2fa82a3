//! `POST /test`: a receiver of webhooks, to try them with: callbacks of `accept`, and what scheduled jobs send.

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    uniques::MinuteCount,
    webhook::{MessageId, SignatureHeaders},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tracing::info;

/// What the signature is worth.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Valid,
    Invalid,
    Missing,
}

/// Takes a webhook and answers with what it got. What tells a minute's count must be a callback; other objects are taken as they are.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let mut body: Map<String, Value> = http::body(&request)?;
    let tells_a_count = body.contains_key("minute") || body.contains_key("unique_ids");
    let count = tells_a_count.then(|| http::body::<MinuteCount>(&request)).transpose()?;
    let webhook_id =
        http::header(&request, "webhook-id").and_then(|id| MessageId::try_from(id.to_owned()).ok());
    let signature = verdict(&app, &request, webhook_id.as_ref()).await?;
    let id = webhook_id.as_ref().map(MessageId::to_string);
    let verdict = format!("{signature:?}").to_lowercase();
    if let Some(MinuteCount { minute, unique_ids }) = count {
        info!(%minute, unique_ids, webhook_id = id, signature = verdict, "Received callback");
    } else {
        info!(webhook_id = id, signature = verdict, "Received webhook");
    }
    // In place of members of the same names: what a sender claims of its signature is not what the receiver found.
    body.insert("webhook_id".to_owned(), json!(webhook_id));
    body.insert("signature".to_owned(), json!(signature));
    Ok(Reply::ok(&body))
}

async fn verdict(
    app: &App,
    request: &Request,
    id: Option<&MessageId>,
) -> Result<Verdict, ApiError> {
    let headers = (
        id,
        http::header(request, "webhook-timestamp"),
        http::header(request, "webhook-signature"),
    );
    let (Some(id), Some(timestamp), Some(signature)) = headers else { return Ok(Verdict::Missing) };
    let secrets = app.webhook_secrets().secrets().await?;
    let genuine =
        secrets.verify(SignatureHeaders { id, timestamp, signature }, request.body(), app.now());
    Ok(if genuine.is_ok() { Verdict::Valid } else { Verdict::Invalid })
}

#[cfg(test)]
mod tests {
    use once::{
        testing::{Answer, Call, Cloud, Instance},
        webhook::Secrets,
    };

    use super::*;

    const PARAMETER: &str = "/once/webhook-secret";
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"minute":"2026-11-20T23:20:00Z","unique_ids":123}"#;

    /// A cloud that has the secret, and an instance in it.
    async fn with_secret() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        cloud.services().set_parameter(PARAMETER, SECRET);
        let instance = cloud.instance();
        (cloud, instance)
    }

    async fn signed(instance: &Instance, body: &str) -> Answer {
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
    async fn a_callback_is_answered_with_what_came_and_whether_it_is_genuine() {
        let (_cloud, instance) = with_secret().await;
        let answer = signed(&instance, BODY).await;
        let mut expected = json!({
            "minute": "2026-11-20T23:20:00Z",
            "unique_ids": 123,
            "webhook_id": "count_1795216800_42",
            "signature": "valid",
        });
        assert_eq!((answer.status, &answer.body), (200, &expected));
        // Another number than was signed.
        let answer = signed(&instance, &BODY.replace("123", "124")).await;
        expected["unique_ids"] = 124.into();
        expected["signature"] = "invalid".into();
        assert_eq!((answer.status, answer.body), (200, expected));
    }

    #[tokio::test]
    async fn an_unsigned_callback_is_said_to_be_so() {
        let (_cloud, instance) = with_secret().await;
        let answer = Call::new("POST", "/test").body(BODY).to(&instance, handle).await;
        assert_eq!(
            (answer.status, &answer.body["signature"], &answer.body["webhook_id"]),
            (200, &json!("missing"), &json!(null))
        );
    }

    #[tokio::test]
    async fn nobody_vouches_for_his_own_signature() {
        let (_cloud, instance) = with_secret().await;
        let body = r#"{"signature":"valid","webhook_id":"mine"}"#;
        let response = Call::new("POST", "/test").body(body).response(&instance, handle).await;
        assert_eq!(
            response.body(),
            &http::Body::from(r#"{"signature":"missing","webhook_id":null}"#)
        );
    }

    #[tokio::test]
    async fn what_a_scheduled_job_sends_is_taken_whatever_it_says() {
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
    async fn what_is_no_callback_is_refused_by_name() {
        let (_cloud, instance) = with_secret().await;
        for (body, field) in [
            ("", "body"),
            ("[]", "body"),
            (r#"{"unique_ids":1}"#, "minute"),
            (r#"{"minute":"2026-11-20T23:20:30Z","unique_ids":1}"#, "minute"),
            (r#"{"minute":"2026-11-20T23:20:00Z","unique_ids":-1}"#, "unique_ids"),
            (r#"{"minute":"2026-11-20T23:20:00Z","unique_ids":1,"id":7}"#, "id"),
        ] {
            let answer = Call::new("POST", "/test").body(body).to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, field), "{body}");
        }
    }

    #[tokio::test]
    async fn without_a_secret_nothing_is_called_genuine() {
        let cloud = Cloud::start().await;
        let answer = signed(&cloud.instance(), BODY).await;
        assert_eq!((answer.status, answer.code()), (503, "SECRET_UNAVAILABLE"));
    }

    #[tokio::test]
    async fn the_sample_event_is_answered() {
        let (_cloud, instance) = with_secret().await;
        let response = Call::sample("callback-test").response(&instance, handle).await;
        assert_eq!(response.status(), 200);
    }
}
