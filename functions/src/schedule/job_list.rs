//! `GET /scheduler/jobs?limit&cursor`

use once::{
    App,
    cursor::Paging,
    http::{self, ApiError, Reply, Request},
    schedule::ScheduledJobCursor,
};

/// Jobs with their next times, newest first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let Paging { limit, cursor } = http::query::<Paging<ScheduledJobCursor>>(&request)?;
    Ok(Reply::ok(&app.schedules().list(limit, cursor.as_ref(), app.now()).await?))
}

#[cfg(test)]
mod tests {
    use once::testing::{Answer, Call, Cloud, Instance, SCHEDULES_TABLE, sample};
    use serde_json::json;

    use super::*;

    async fn get(instance: &Instance, query: &str) -> Answer {
        Call::new("GET", &format!("/scheduler/jobs?{query}")).to(instance, handle).await
    }

    fn ids(answer: &Answer) -> Vec<String> {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let jobs = answer.body["jobs"].as_array().expect("jobs").iter();
        jobs.map(|job| job["id"].as_str().expect("an id").to_owned()).collect()
    }

    #[tokio::test]
    async fn pages_follow_each_other_newest_first_and_repeat_nothing() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let mut jobs = Vec::new();
        for second in ["00", "01", "02", "02", "03"] {
            let at = format!("2026-11-20T12:00:{second}Z");
            jobs.push((
                at.clone(),
                instance.at(at.parse().expect("a time")).scheduled_job().await.to_string(),
            ));
        }
        // The third and the fourth are of the same moment: the id tells them apart.
        jobs.sort();
        jobs.reverse();
        let jobs: Vec<String> = jobs.into_iter().map(|(_, id)| id).collect();
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
    async fn a_job_that_cannot_be_read_is_left_out_and_ends_no_list() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let mut jobs = Vec::new();
        for second in 0..4 {
            let at = format!("2026-11-20T12:00:0{second}Z").parse().expect("a time");
            jobs.push(instance.at(at).scheduled_job().await);
        }
        let key = cloud
            .items(SCHEDULES_TABLE)
            .await
            .into_iter()
            .find(|item| item["id"].as_s() == Ok(&jobs[2].to_string()));
        let key = key
            .expect("it is there")
            .into_iter()
            .filter(|(name, _)| ["pk", "sk"].contains(&name.as_str()))
            .collect();
        let garble = cloud.client().update_item().table_name(SCHEDULES_TABLE).set_key(Some(key));
        let garble =
            garble.update_expression("REMOVE #name").expression_attribute_names("#name", "name");
        garble.send().await.expect("garbled");

        let first = get(&instance, "limit=2").await;
        assert_eq!(ids(&first), [jobs[3].to_string()]);
        let cursor = first.body["next_cursor"].as_str().expect("there are more");
        let second = get(&instance, &format!("limit=2&cursor={cursor}")).await;
        assert_eq!(ids(&second), [jobs[1].to_string(), jobs[0].to_string()]);
        assert_eq!(second.body["next_cursor"], json!(null));
    }

    #[tokio::test]
    async fn a_job_is_listed_as_it_stands() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.scheduled_job().await;
        let view = instance.schedule(id, json!({"type": "fixed", "every_seconds": 3600})).await;
        let answer = get(&instance, "").await;
        assert_eq!(answer.body, json!({"jobs": [view], "next_cursor": null}));
        assert_eq!(answer.body["jobs"][0]["next_runs"][0], "2026-11-20T13:00:00.000Z");
    }

    #[tokio::test]
    async fn a_job_that_was_deleted_is_not_listed() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let (gone, kept) = (instance.scheduled_job().await, instance.scheduled_job().await);
        instance.app.schedules().delete(gone, None).await.expect("deleted");
        assert_eq!(ids(&get(&instance, "").await), [kept.to_string()]);
    }

    #[tokio::test]
    async fn the_sample_lists_nothing_where_there_is_nothing() {
        let cloud = Cloud::start().await;
        assert!(handle(cloud.instance().app, sample("settlement-list")).await.is_ok());
        let answer = Call::new("GET", "/scheduler/jobs").to(&cloud.instance(), handle).await;
        assert_eq!((answer.status, answer.body), (200, json!({"jobs": [], "next_cursor": null})));
    }

    #[tokio::test]
    async fn bad_parameters_are_refused_by_name() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        // 2026-11-20T23:20:00Z#scheduled_job_7
        let of_no_job = "MjAyNi0xMS0yMFQyMzoyMDowMFojdGFza183";
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
            (&format!("cursor={of_no_job}"), "cursor"),
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
