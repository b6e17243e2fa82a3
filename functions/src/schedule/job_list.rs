//! `GET /scheduler/jobs?limit&cursor`

use once::{
    App,
    cursor::{Filter, Paging},
    http::{self, ApiError, Reply, Request},
    schedule::ScheduledJobPlace,
};

/// Lists jobs with their next occurrences, newest first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let Paging { limit, cursor } = http::query::<Paging<ScheduledJobPlace>>(&request)?;
    let filter = Filter::of("scheduled-jobs");
    let before = filter.place(cursor)?;
    let page = app.schedules().list(limit, before.as_ref(), app.now()).await?;
    Ok(Reply::ok(&filter.listed("jobs", page)))
}

#[cfg(test)]
mod tests {
    use once::testing::{Answer, Call, Cloud, Instance, SCHEDULES_TABLE, sample};
    use serde_json::json;

    use super::*;
    use crate::schedule::testing::{assert_bad_paging_is_rejected, every, noon, pages_of_two};

    async fn get(instance: &Instance, query: &str) -> Answer {
        Call::new("GET", &format!("/scheduler/jobs?{query}")).to(instance, handle).await
    }

    fn ids(answer: &Answer) -> Vec<String> {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let jobs = answer.body["jobs"].as_array().expect("jobs").iter();
        jobs.map(|job| job["id"].as_str().expect("an id").to_owned()).collect()
    }

    #[tokio::test]
    async fn pages_list_each_job_once_newest_first() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let mut jobs = Vec::new();
        for second in ["00", "01", "02", "02", "03"] {
            let at = format!("2026-11-20T12:00:{second}Z");
            jobs.push((
                at.clone(),
                instance.at(at.parse().expect("a time")).create_scheduled_job().await.to_string(),
            ));
        }
        // The third and the fourth have the same creation time and are sorted by id.
        jobs.sort();
        jobs.reverse();
        let jobs: Vec<String> = jobs.into_iter().map(|(_, id)| id).collect();
        assert_eq!(ids(&get(&instance, "").await), jobs);

        let pages = pages_of_two(&instance, "/scheduler/jobs", handle).await;
        let listed: Vec<_> = pages.iter().map(ids).collect();
        assert_eq!(listed, [&jobs[..2], &jobs[2..4], &jobs[4..]]);
    }

    #[tokio::test]
    async fn a_job_that_cannot_be_read_is_left_out_and_does_not_end_the_list() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let mut jobs = Vec::new();
        for second in 0..4 {
            let at = format!("2026-11-20T12:00:0{second}Z").parse().expect("a time");
            jobs.push(instance.at(at).create_scheduled_job().await);
        }
        let key = cloud
            .items(SCHEDULES_TABLE)
            .await
            .into_iter()
            .find(|item| item["id"].as_s() == Ok(&jobs[2].to_string()));
        let key = key
            .expect("an item")
            .into_iter()
            .filter(|(name, _)| ["pk", "sk"].contains(&name.as_str()))
            .collect();
        let damage = cloud.client().update_item().table_name(SCHEDULES_TABLE).set_key(Some(key));
        let damage =
            damage.update_expression("REMOVE #name").expression_attribute_names("#name", "name");
        damage.send().await.expect("damaged");

        let first = get(&instance, "limit=2").await;
        assert_eq!(ids(&first), [jobs[3].to_string()]);
        let cursor = first.body["next_cursor"].as_str().expect("a next page");
        let second = get(&instance, &format!("limit=2&cursor={cursor}")).await;
        assert_eq!(ids(&second), [jobs[1].to_string(), jobs[0].to_string()]);
        assert_eq!(second.body["next_cursor"], json!(null));
    }

    #[tokio::test]
    async fn a_job_is_listed_with_its_current_state() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.create_scheduled_job().await;
        let view = instance.set_schedule(id, every(3600)).await;
        let answer = get(&instance, "").await;
        assert_eq!(answer.body, json!({"jobs": [view], "next_cursor": null}));
        assert_eq!(answer.body["jobs"][0]["next_runs"][0], "2026-11-20T13:00:00.000Z");
    }

    #[tokio::test]
    async fn a_deleted_job_is_not_listed() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let (deleted, kept) =
            (instance.create_scheduled_job().await, instance.create_scheduled_job().await);
        instance.app.schedules().delete(deleted, None).await.expect("deleted");
        assert_eq!(ids(&get(&instance, "").await), [kept.to_string()]);
    }

    #[tokio::test]
    async fn the_sample_list_is_empty() {
        let cloud = Cloud::start().await;
        assert!(handle(cloud.instance().app, sample("scheduled-job-list")).await.is_ok());
        let answer = Call::new("GET", "/scheduler/jobs").to(&cloud.instance(), handle).await;
        assert_eq!((answer.status, answer.body), (200, json!({"jobs": [], "next_cursor": null})));
    }

    #[tokio::test]
    async fn bad_parameters_are_rejected_by_name() {
        let (_cloud, instance) = noon().await;
        // scheduled-jobs#2026-11-20T23:20:00.000Z#scheduled_job_7
        let bad_cursor = "c2NoZWR1bGVkLWpvYnMjMjAyNi0xMS0yMFQyMzoyMDowMC4wMDBaI3NjaGVkdWxlZF9qb2\
                          JfNw";
        assert_bad_paging_is_rejected(&instance, "/scheduler/jobs", bad_cursor, handle).await;
    }
}
