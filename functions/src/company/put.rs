//! `PUT /companies/{id}`

use once::{
    App,
    company::NewProfile,
    http::{self, ApiError, Reply, Request},
};

/// Creates or replaces a company's profile.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = http::path_parameter(&request, "id")?;
    let profile = http::body::<NewProfile>(&request)?;
    Ok(Reply::ok(&app.companies().put(id, profile, app.now()).await?))
}

#[cfg(test)]
mod tests {
    use once::{
        company::Profile,
        testing::{Answer, COMPANIES_TABLE, Call, Cloud, Fault, Instance},
    };
    use serde_json::{Value, json};

    use super::*;

    const NOON: &str = "2026-11-20T12:00:00.000Z";

    async fn instance_at_noon() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at(NOON.parse().expect("a time"));
        (cloud, instance)
    }

    async fn put(instance: &Instance, id: &str, body: impl std::fmt::Display) -> Answer {
        Call::new("PUT", &format!("/companies/{id}")).body(body).to(instance, handle).await
    }

    async fn stored(instance: &Instance, id: &str) -> Option<Profile> {
        instance
            .app
            .companies()
            .get(&id.to_owned().try_into().expect("an id"))
            .await
            .expect("a read")
    }

    #[tokio::test]
    async fn the_response_is_the_stored_profile() {
        let (_cloud, instance) = instance_at_noon().await;
        let answer =
            put(&instance, "merchant_001", json!({"name": "Beispiel GmbH", "employees": 12})).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            json!({
                "id": "merchant_001",
                "name": "Beispiel GmbH",
                "employees": 12,
                "updated_at": NOON,
            })
        );
        let stored = stored(&instance, "merchant_001").await.expect("a company");
        assert_eq!(json!(stored), answer.body);
    }

    #[tokio::test]
    async fn the_last_put_replaces_the_profile() {
        let (cloud, instance) = instance_at_noon().await;
        put(&instance, "merchant_001", json!({"name": "Before", "employees": 0})).await;
        let later = instance.at("2026-11-20T12:00:01Z".parse().expect("a time"));
        let answer =
            put(&later, "merchant_001", json!({"name": "After", "employees": 10_000_000})).await;
        assert_eq!(answer.body["updated_at"], "2026-11-20T12:00:01.000Z");
        assert_eq!(json!(stored(&instance, "merchant_001").await), answer.body);
        assert_eq!(cloud.items(COMPANIES_TABLE).await.len(), 1);
    }

    #[tokio::test]
    async fn a_put_whose_reply_is_lost_is_retried() {
        let (_cloud, instance) = instance_at_noon().await;
        instance.transport.fail_at(1, Fault::LoseReply);
        let answer = put(&instance, "merchant_001", json!({"name": "Once", "employees": 1})).await;
        assert_eq!(answer.status, 200);
        assert_eq!(json!(stored(&instance, "merchant_001").await), answer.body);
    }

    #[tokio::test]
    async fn invalid_input_is_rejected_by_field_and_stores_nothing() {
        let (cloud, instance) = instance_at_noon().await;
        let valid = json!({"name": "Beispiel GmbH", "employees": 12});
        let with = |name: &str, value: Value| {
            let mut body = valid.clone();
            body[name] = value;
            body.to_string()
        };
        for (body, field) in [
            (r#"{"employees": 12}"#, "name"),
            (r#"{"name": "Beispiel GmbH"}"#, "employees"),
            (&with("name", "".into()), "name"),
            (&with("name", " ".into()), "name"),
            (&with("name", "\u{feff}".into()), "name"),
            (&with("name", "a\nb".into()), "name"),
            (&with("name", "x".repeat(201).into()), "name"),
            (&with("name", 7.into()), "name"),
            (&with("name", Value::Null), "name"),
            (&with("employees", (-1).into()), "employees"),
            (&with("employees", 10_000_001.into()), "employees"),
            (&with("employees", 1.5.into()), "employees"),
            (&with("employees", "12".into()), "employees"),
            (&with("id", "merchant_001".into()), "id"),
            (&with("updated_at", NOON.into()), "updated_at"),
            (r#"{"name": "a", "name": "b", "employees": 12}"#, "name"),
            ("not json", "body"),
            ("{", "body"),
            ("", "body"),
            (r#"["Beispiel GmbH", 12]"#, "body"),
        ] {
            let answer = put(&instance, "merchant_001", body).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", field),
                "{body}: {}",
                answer.body
            );
        }
        for id in ["", ".", "..", &"x".repeat(65), "a#b", "a b", "ä", "=1+1"] {
            let answer = put(&instance, id, &valid).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
        assert!(cloud.items(COMPANIES_TABLE).await.is_empty());
        let longest = put(&instance, &"x".repeat(64), with("name", "ä".repeat(200).into())).await;
        assert_eq!(longest.status, 200);
    }

    #[tokio::test]
    async fn the_sample_request_stores_a_company() {
        let (_cloud, instance) = instance_at_noon().await;
        let response = Call::sample("company-put").response(&instance, handle).await;
        assert_eq!(response.status(), 200);
        assert!(stored(&instance, "merchant_001").await.is_some());
    }
}
