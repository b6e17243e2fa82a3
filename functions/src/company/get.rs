//! `GET /companies/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Returns a company's profile.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = http::path_parameter(&request, "id")?;
    let company = app.companies().get(&id).await?;
    company.map(|company| Reply::ok(&company)).ok_or_else(|| ApiError::company_not_found(&id))
}

#[cfg(test)]
mod tests {
    use once::{
        company::CompanyId,
        testing::{Answer, Call, Cloud, Fault, Instance, sample},
    };
    use serde_json::json;

    use super::*;

    fn id(id: &str) -> CompanyId {
        id.to_owned().try_into().expect("an id")
    }

    async fn get(instance: &Instance, id: &str) -> Answer {
        Call::new("GET", &format!("/companies/{id}")).to(instance, handle).await
    }

    #[tokio::test]
    async fn the_response_is_the_last_profile() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let profile = serde_json::from_value(json!({"name": "Beispiel GmbH", "employees": 12}))
            .expect("a profile");
        let put = instance
            .app
            .companies()
            .put(id("merchant_001"), profile, instance.app.now())
            .await
            .expect("stored");
        let answer = get(&cloud.instance(), "merchant_001").await;
        assert_eq!((answer.status, &answer.body), (200, &json!(put)));
    }

    #[tokio::test]
    async fn a_missing_company_is_not_found() {
        let cloud = Cloud::start().await;
        let answer = get(&cloud.instance(), "merchant_001").await;
        assert_eq!((answer.status, answer.code()), (404, "COMPANY_NOT_FOUND"));
        assert_eq!(answer.body["error"]["message"], "Company merchant_001 does not exist");
    }

    #[tokio::test]
    async fn an_invalid_id_is_rejected() {
        let cloud = Cloud::start().await;
        for id in ["", ".", "..", &"x".repeat(65), "a#b", "a b", "ä", "=1+1"] {
            let answer = get(&cloud.instance(), id).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
    }

    #[tokio::test]
    async fn an_unavailable_store_is_not_reported_as_a_missing_company() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.transport.fail_randomly(7, 1.0, Fault::Refuse);
        let answer = get(&instance, "merchant_001").await;
        assert_eq!((answer.status, answer.code()), (503, "STORE_UNAVAILABLE"));
    }

    #[tokio::test]
    async fn the_sample_request_is_for_a_missing_company() {
        let cloud = Cloud::start().await;
        let error =
            handle(cloud.instance().app, sample("company-get")).await.expect_err("no company");
        assert_eq!(error, ApiError::company_not_found(&id("merchant_001")));
    }
}
