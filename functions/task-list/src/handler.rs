//! `GET /scheduler/jobs?limit&cursor`

use once::{
    App,
    cursor::Paging,
    http::{self, ApiError, Reply, Request},
    schedule::TaskCursor,
};

/// Jobs with their next times, newest first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let Paging { limit, cursor } = http::query::<Paging<TaskCursor>>(&request)?;
    Ok(Reply::ok(&app.schedules().list(limit, cursor.as_ref(), app.now()).await?))
}

#[cfg(test)]
mod tests {
    use once::testing::{Answer, Call, Cloud, Process, SCHEDULES_TABLE, sample};
    use serde_json::json;

    use super::*;

    async fn get(process: &Process, query: &str) -> Answer {
        Call::new("GET", &format!("/scheduler/jobs?{query}")).to(process, handle).await
    }

    fn ids(answer: &Answer) -> Vec<String> {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let jobs = answer.body["jobs"].as_array().expect("jobs").iter();
        jobs.map(|job| job["id"].as_str().expect("an id").to_owned()).collect()
    }

    #[tokio::test]
    async fn pages_follow_each_other_newest_first_and_repeat_nothing() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        let mut tasks = Vec::new();
        for second in ["00", "01", "02", "02", "03"] {
            let at = format!("2026-11-20T12:00:{second}Z");
            tasks.push((at.clone(), process.at(at.parse().expect("a time")).task().await.to_string()));
        }
        // The third and the fourth are of the same moment: the id tells them apart.
        tasks.sort();
        tasks.reverse();
        let tasks: Vec<String> = tasks.into_iter().map(|(_, id)| id).collect();
        assert_eq!(ids(&get(&process, "").await), tasks);

        let mut listed = Vec::new();
        let mut page = get(&process, "limit=2").await;
        loop {
            listed.push(ids(&page));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            page = get(&process, &format!("limit=2&cursor={cursor}")).await;
        }
        assert_eq!(listed, [&tasks[..2], &tasks[2..4], &tasks[4..]]);
        assert_eq!(get(&process, "limit=5").await.body["next_cursor"], json!(null), "there is no sixth");
    }

    #[tokio::test]
    async fn a_job_that_cannot_be_read_is_left_out_and_ends_no_list() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        let mut tasks = Vec::new();
        for second in 0..4 {
            let at = format!("2026-11-20T12:00:0{second}Z").parse().expect("a time");
            tasks.push(process.at(at).task().await);
        }
        let key =
            cloud.items(SCHEDULES_TABLE).await.into_iter().find(|item| item["id"].as_s() == Ok(&tasks[2].to_string()));
        let key =
            key.expect("it is there").into_iter().filter(|(name, _)| ["pk", "sk"].contains(&name.as_str())).collect();
        let garble = cloud.client().update_item().table_name(SCHEDULES_TABLE).set_key(Some(key));
        let garble = garble.update_expression("REMOVE #name").expression_attribute_names("#name", "name");
        garble.send().await.expect("garbled");

        let first = get(&process, "limit=2").await;
        assert_eq!(ids(&first), [tasks[3].to_string()]);
        let cursor = first.body["next_cursor"].as_str().expect("there are more");
        let second = get(&process, &format!("limit=2&cursor={cursor}")).await;
        assert_eq!(ids(&second), [tasks[1].to_string(), tasks[0].to_string()]);
        assert_eq!(second.body["next_cursor"], json!(null));
    }

    #[tokio::test]
    async fn a_job_is_listed_as_it_stands() {
        let cloud = Cloud::start().await;
        let process = cloud.process().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = process.task().await;
        let standing = process.schedule(id, json!({"type": "fixed", "every_seconds": 3600})).await;
        let answer = get(&process, "").await;
        assert_eq!(answer.body, json!({"jobs": [standing], "next_cursor": null}));
        assert_eq!(answer.body["jobs"][0]["next_runs"][0], "2026-11-20T13:00:00.000Z");
    }

    #[tokio::test]
    async fn a_job_that_was_deleted_is_not_listed() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        let (gone, kept) = (process.task().await, process.task().await);
        process.app.schedules().delete(gone, None).await.expect("deleted");
        assert_eq!(ids(&get(&process, "").await), [kept.to_string()]);
    }

    #[tokio::test]
    async fn the_sample_lists_nothing_where_there_is_nothing() {
        let cloud = Cloud::start().await;
        assert!(handle(cloud.process().app, sample("task-list")).await.is_ok());
        let answer = Call::new("GET", "/scheduler/jobs").to(&cloud.process(), handle).await;
        assert_eq!((answer.status, answer.body), (200, json!({"jobs": [], "next_cursor": null})));
    }

    #[tokio::test]
    async fn bad_parameters_are_refused_by_name() {
        let cloud = Cloud::start().await;
        let process = cloud.process();
        // 2026-11-20T23:20:00Z#task_7
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
            let answer = get(&process, query).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", field),
                "{query}: {}",
                answer.body
            );
        }
    }
}
