//! `GET /jobs?limit&cursor`

use once::{
    App,
    cursor::{Filter, Paging},
    http::{self, ApiError, Reply, Request},
    settlement::JobPlace,
};

/// Returns settlements with their progress, newest first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let Paging { limit, cursor } = http::query::<Paging<JobPlace>>(&request)?;
    let filter = Filter::of("settlements");
    let before = filter.place(cursor)?;
    let page = app.settlement().list(limit, before.as_ref(), app.now()).await?;
    Ok(Reply::ok(&filter.listed("jobs", page)))
}

#[cfg(test)]
mod tests {
    use once::testing::{Answer, Call, Cloud, Instance, sample};
    use serde_json::json;

    use super::*;

    async fn get(instance: &Instance, query: &str) -> Answer {
        Call::new("GET", &format!("/jobs?{query}")).to(instance, handle).await
    }

    fn ids(answer: &Answer) -> Vec<String> {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let jobs = answer.body["jobs"].as_array().expect("jobs").iter();
        jobs.map(|job| job["job_id"].as_str().expect("an id").to_owned()).collect()
    }

    #[tokio::test]
    async fn pages_are_newest_first_without_gaps_or_repeats() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let mut jobs = Vec::new();
        // The third and the fourth have the same time: their ids, which increase, order them.
        for second in ["00", "01", "02", "02", "03"] {
            let at = format!("2026-11-20T12:00:{second}Z").parse().expect("a time");
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            jobs.push(
                instance.at(at).create_settlement("2026-11-18", "2026-11-19").await.to_string(),
            );
        }
        jobs.reverse();
        assert_eq!(ids(&get(&instance, "").await), jobs);

        let mut listed = Vec::new();
        let mut page = get(&instance, "limit=2").await;
        loop {
            listed.push(ids(&page));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            page = get(&instance, &format!("limit=2&cursor={cursor}")).await;
        }
        assert_eq!(listed, [&jobs[..2], &jobs[2..4], &jobs[4..]]);
        assert_eq!(
            get(&instance, "limit=5").await.body["next_cursor"],
            json!(null),
            "there is no sixth"
        );
    }

    #[tokio::test]
    async fn a_settlement_is_listed_with_its_current_state() {
        let cloud = Cloud::start().await;
        cloud.record_sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.create_settlement("2026-11-18", "2026-11-19").await;
        cloud.deliver_all(&instance).await;
        let job_status =
            instance.app.settlement().job_status(id, instance.app.now()).await.expect("a read");
        let answer = get(&instance, "").await;
        assert_eq!(answer.body, json!({"jobs": [job_status], "next_cursor": null}));
        let job = &answer.body["jobs"][0];
        assert_eq!((&job["status"], &job["progress"]), (&json!("COMPLETED"), &json!(100.0)));
    }

    #[tokio::test]
    async fn the_sample_of_an_empty_table_lists_nothing() {
        let cloud = Cloud::start().await;
        assert!(handle(cloud.instance().app, sample("settlement-list")).await.is_ok());
        let answer = Call::new("GET", "/jobs").to(&cloud.instance(), handle).await;
        assert_eq!((answer.status, answer.body), (200, json!({"jobs": [], "next_cursor": null})));
    }

    #[tokio::test]
    async fn invalid_parameters_are_rejected_by_name() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        // settlements#2026-11-20T23:20:00.000Z#job_7
        let invalid_id = "c2V0dGxlbWVudHMjMjAyNi0xMS0yMFQyMzoyMDowMC4wMDBaI2pvYl83";
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=", "cursor"),
            ("cursor=x", "cursor"),
            ("cursor=%25", "cursor"),
            (&format!("cursor={invalid_id}"), "cursor"),
            ("offset=1", "offset"),
        ] {
            let answer = get(&instance, query).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", field),
                "{query}: {}",
                answer.body
            );
        }
    }
}
