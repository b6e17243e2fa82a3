//! `GET /scheduler/jobs/{id}/runs?limit&cursor`

use once::{
    App,
    cursor::Paging,
    http::{self, ApiError, Reply, Request},
    schedule::RunCursor,
};

/// The runs of a job, the last due first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = http::path_parameter(&request, "id")?;
    let Paging { limit, cursor } = http::query::<Paging<RunCursor>>(&request)?;
    Ok(Reply::ok(&app.schedules().runs(id, limit, cursor.as_ref(), app.now()).await?))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::{RunOutcome, ScheduledJobId},
        testing::{Answer, Call, Cloud, Instance},
    };
    use serde_json::{Value, json};

    use super::*;

    /// A process at noon.
    async fn noon() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = at(&cloud.instance(), "12:00:00");
        (cloud, instance)
    }

    fn at(instance: &Instance, time: &str) -> Instance {
        instance.at(format!("2026-11-20T{time}Z").parse().expect("a time"))
    }

    async fn get(instance: &Instance, id: ScheduledJobId, query: &str) -> Answer {
        Call::new("GET", &format!("/scheduler/jobs/{id}/runs?{query}")).to(instance, handle).await
    }

    async fn runs(instance: &Instance, id: ScheduledJobId) -> Vec<Value> {
        let answer = get(instance, id, "").await;
        assert_eq!(
            (answer.status, &answer.body["next_cursor"]),
            (200, &json!(null)),
            "{}",
            answer.body
        );
        answer.body["runs"].as_array().expect("runs").clone()
    }

    /// When the runs of an answer were due.
    fn due(answer: &Answer) -> Vec<String> {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let runs = answer.body["runs"].as_array().expect("runs").iter();
        runs.map(|run| run["due_at"].as_str().expect("a time")[14..19].to_owned()).collect()
    }

    #[tokio::test]
    async fn a_run_that_is_done_tells_when_and_what_came_of_it() {
        let (cloud, instance) = noon().await;
        let id = instance.scheduled_job().await;
        instance.schedule(id, json!({"type": "fixed", "every_seconds": 60})).await;
        let message = cloud.take_occurrences().swap_remove(0);
        assert!(runs(&instance, id).await.is_empty(), "what is queued is no run yet");
        let instance = at(&instance, "12:01:00.250");
        assert_eq!(instance.fire(&message).await.expect("done"), RunOutcome::Completed);
        let [run] = &runs(&instance, id).await[..] else { panic!("one run") };
        let (run_id, finished_at) =
            (run["run_id"].as_str().expect("an id"), run["finished_at"].clone());
        assert_eq!(
            run,
            &json!({
                "run_id": run_id, "due_at": "2026-11-20T12:01:00.000Z", "started_at": "2026-11-20T12:01:00.250Z",
                "finished_at": finished_at, "state": "COMPLETED", "attempts": 1, "result": format!("job_{run_id}"), "error": null,
            })
        );
        assert!(
            finished_at.as_str().is_some_and(|at| at.starts_with("2026-11-20T12:01:0")),
            "{finished_at}"
        );
    }

    #[tokio::test]
    async fn a_run_that_has_failed_tells_why() {
        let (cloud, instance) = noon().await;
        let instance =
            cloud.instance_with(|config| config.schedules.max_attempts = 1).at(instance.app.now());
        let action = json!({"type": "company", "company_id": "unknown", "kind": "sales"});
        let id = instance.scheduled_job_of(json!({"name": "Refresh", "action": action})).await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("asked for");
        assert_eq!(
            instance.fire(&cloud.take_occurrences()[0]).await.expect("done"),
            RunOutcome::Failed
        );
        let [run] = &runs(&instance, id).await[..] else { panic!("one run") };
        assert_eq!((&run["state"], &run["attempts"]), (&json!("FAILED"), &json!(1)));
        assert_eq!(
            (&run["result"], &run["error"]),
            (&json!(null), &json!("COMPANY_NOT_FOUND: unknown"))
        );
        assert_ne!(run["finished_at"], Value::Null);
    }

    #[tokio::test]
    async fn a_run_that_is_tried_again_is_not_finished() {
        let (cloud, instance) = noon().await;
        // There is no secret to sign with.
        let action = json!({"type": "webhook", "url": "https://example.com/"});
        let id = instance.scheduled_job_of(json!({"name": "Call", "action": action})).await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("asked for");
        instance.fire(&cloud.take_occurrences()[0]).await.expect_err("it comes again");
        let [run] = &runs(&instance, id).await[..] else { panic!("one run") };
        assert_eq!(
            (&run["state"], &run["attempts"], &run["finished_at"]),
            (&json!("RETRYING"), &json!(1), &json!(null))
        );
        assert!(
            run["error"].as_str().is_some_and(|error| error.starts_with("SERVICE_UNAVAILABLE: ")),
            "{run}"
        );
    }

    #[tokio::test]
    async fn occurrences_that_were_missed_are_told_as_one() {
        let (cloud, instance) = noon().await;
        for (misfire, state) in [("skip", "SKIPPED"), ("fire_once", "COMPLETED")] {
            let id = instance.scheduled_job().await;
            instance
                .schedule(id, json!({"type": "fixed", "every_seconds": 600, "misfire": misfire}))
                .await;
            let late = at(&instance, "13:05:00");
            late.app.schedules().tick(late.app.now()).await.expect("a tick");
            for message in cloud.take_occurrences() {
                assert_eq!(
                    late.fire(&message).await.expect("done"),
                    RunOutcome::Completed,
                    "{misfire}"
                );
            }
            let [run] = &runs(&late, id).await[..] else { panic!("one run") };
            assert_eq!(
                (&run["state"], &run["due_at"]),
                (&json!(state), &json!("2026-11-20T13:00:00.000Z"))
            );
            assert_eq!(run["missed_since"], "2026-11-20T12:10:00.000Z");
            let error = run["error"].as_str().unwrap_or_default();
            assert_eq!(error.starts_with("MISSED: "), misfire == "skip", "{run}");
        }
    }

    #[tokio::test]
    async fn pages_follow_each_other_the_last_due_first_and_repeat_nothing() {
        let (cloud, instance) = noon().await;
        let (id, other) = (instance.scheduled_job().await, instance.scheduled_job().await);
        for id in [id, other] {
            instance
                .schedule(id, json!({"type": "fixed", "every_seconds": 20, "overlap": "allow"}))
                .await;
        }
        let late = at(&instance, "12:01:40");
        for message in cloud.take_occurrences() {
            assert_eq!(late.fire(&message).await.expect("done"), RunOutcome::Completed);
        }
        assert_eq!(due(&get(&late, id, "").await), ["01:40", "01:20", "01:00", "00:40", "00:20"]);

        let mut listed = Vec::new();
        let mut page = get(&late, id, "limit=2").await;
        loop {
            listed.push(due(&page));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            page = get(&late, id, &format!("limit=2&cursor={cursor}")).await;
        }
        assert_eq!(listed, [vec!["01:40", "01:20"], vec!["01:00", "00:40"], vec!["00:20"]]);
        assert_eq!(
            get(&late, id, "limit=5").await.body["next_cursor"],
            json!(null),
            "there is no sixth"
        );
    }

    #[tokio::test]
    async fn a_history_is_kept_for_so_long_as_is_said() {
        let (cloud, instance) = noon().await;
        let id = instance.scheduled_job().await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("asked for");
        assert_eq!(
            instance.fire(&cloud.take_occurrences()[0]).await.expect("done"),
            RunOutcome::Completed
        );
        for (day, kept) in [("2026-12-20T11:59:59Z", 1), ("2026-12-20T12:00:01Z", 0)] {
            assert_eq!(
                runs(&instance.at(day.parse().expect("a time")), id).await.len(),
                kept,
                "{day}"
            );
        }
    }

    #[tokio::test]
    async fn the_sample_asks_for_a_job_that_is_not_there() {
        let cloud = Cloud::start().await;
        let answer = Answer::from(
            Call::sample("scheduled-job-run-list").response(&cloud.instance(), handle).await,
        );
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }

    #[tokio::test]
    async fn bad_parameters_are_refused_by_name() {
        let (_cloud, instance) = noon().await;
        let id = instance.scheduled_job().await;
        // 2026-11-20T23:20:00Z#7
        let of_no_run = "MjAyNi0xMS0yMFQyMzoyMDowMFojNw";
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
            (&format!("cursor={of_no_run}"), "cursor"),
            ("offset=1", "offset"),
        ] {
            let answer = get(&instance, id, query).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", field),
                "{query}: {}",
                answer.body
            );
        }
        for id in ["7", "scheduled_job_7", "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"] {
            let answer =
                Call::new("GET", &format!("/scheduler/jobs/{id}/runs")).to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, "id"), "{id}");
        }
    }
}
