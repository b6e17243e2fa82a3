//! `GET /scheduler/jobs/{id}/runs?limit&cursor`

use once::{
    App,
    cursor::{Filter, Paging},
    http::{self, ApiError, Reply, Request},
    schedule::RunPlace,
};

/// Lists the runs of a job, latest `due_at` first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = http::path_parameter(&request, "id")?;
    let Paging { limit, cursor } = http::query::<Paging<RunPlace>>(&request)?;
    let filter = Filter::of("runs").with("job", Some(id));
    let before = filter.place(cursor)?;
    let page = app.schedules().runs(id, limit, before.as_ref(), app.now()).await?;
    Ok(Reply::ok(&filter.listed("runs", page)))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::{RunOutcome, ScheduledJobId},
        testing::{Answer, Call, Instance},
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::testing::{
        assert_bad_ids_are_rejected, assert_bad_paging_is_rejected, assert_sample_job_is_not_found,
        at, every, noon, pages_of_two,
    };

    async fn get(instance: &Instance, id: ScheduledJobId) -> Answer {
        Call::new("GET", &format!("/scheduler/jobs/{id}/runs")).to(instance, handle).await
    }

    async fn runs(instance: &Instance, id: ScheduledJobId) -> Vec<Value> {
        let answer = get(instance, id).await;
        assert_eq!(
            (answer.status, &answer.body["next_cursor"]),
            (200, &json!(null)),
            "{}",
            answer.body
        );
        answer.body["runs"].as_array().expect("runs").clone()
    }

    /// The minutes and seconds at which the runs of an answer were due.
    fn due(answer: &Answer) -> Vec<String> {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let runs = answer.body["runs"].as_array().expect("runs").iter();
        runs.map(|run| run["due_at"].as_str().expect("a time")[14..19].to_owned()).collect()
    }

    #[tokio::test]
    async fn a_completed_run_shows_its_times_and_its_result() {
        let (cloud, instance) = noon().await;
        let id = instance.create_scheduled_job().await;
        instance.set_schedule(id, every(60)).await;
        let message = cloud.take_occurrences().swap_remove(0);
        assert!(runs(&instance, id).await.is_empty(), "a queued occurrence is not listed");
        let instance = at(&instance, "12:01:00.250");
        assert_eq!(
            instance.deliver_occurrence(&message).await.expect("consumed"),
            RunOutcome::Completed
        );
        let [run] = &runs(&instance, id).await[..] else { panic!("one run") };
        let (run_id, finished_at) =
            (run["run_id"].as_str().expect("an id"), run["finished_at"].clone());
        assert_eq!(
            run,
            &json!({
                "run_id": run_id, "due_at": "2026-11-20T12:01:00.000Z",
                "started_at": "2026-11-20T12:01:00.250Z", "finished_at": finished_at,
                "state": "COMPLETED", "attempts": 1, "result": format!("job_{run_id}"),
                "error": null,
            })
        );
        assert!(
            finished_at.as_str().is_some_and(|at| at.starts_with("2026-11-20T12:01:0")),
            "{finished_at}"
        );
    }

    #[tokio::test]
    async fn a_failed_run_shows_its_error() {
        let (cloud, instance) = noon().await;
        let instance =
            cloud.instance_with(|config| config.schedules.max_attempts = 1).at(instance.app.now());
        let action = json!({"type": "company", "company_id": "unknown", "kind": "sales"});
        let id =
            instance.create_scheduled_job_from(json!({"name": "Refresh", "action": action})).await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("requested");
        assert_eq!(
            instance.deliver_occurrence(&cloud.take_occurrences()[0]).await.expect("consumed"),
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
    async fn a_run_between_attempts_is_not_finished() {
        let (cloud, instance) = noon().await;
        // The deployment has no webhook secret.
        let action = json!({"type": "webhook", "url": "https://example.com/"});
        let id =
            instance.create_scheduled_job_from(json!({"name": "Call", "action": action})).await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("requested");
        instance.deliver_occurrence(&cloud.take_occurrences()[0]).await.expect_err("a failure");
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
    async fn missed_occurrences_are_listed_as_one_run() {
        let (cloud, instance) = noon().await;
        for (misfire, state) in [("skip", "SKIPPED"), ("fire_once", "COMPLETED")] {
            let id = instance.create_scheduled_job().await;
            instance
                .set_schedule(
                    id,
                    json!({"type": "fixed", "every_seconds": 600, "misfire": misfire}),
                )
                .await;
            let late = at(&instance, "13:05:00");
            late.app.schedules().tick(late.app.now()).await.expect("a tick");
            for message in cloud.take_occurrences() {
                assert_eq!(
                    late.deliver_occurrence(&message).await.expect("consumed"),
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
    async fn pages_list_each_run_once_latest_first() {
        let (cloud, instance) = noon().await;
        let (id, other) =
            (instance.create_scheduled_job().await, instance.create_scheduled_job().await);
        for id in [id, other] {
            instance
                .set_schedule(id, json!({"type": "fixed", "every_seconds": 20, "overlap": "allow"}))
                .await;
        }
        let late = at(&instance, "12:01:40");
        for message in cloud.take_occurrences() {
            assert_eq!(
                late.deliver_occurrence(&message).await.expect("consumed"),
                RunOutcome::Completed
            );
        }
        assert_eq!(due(&get(&late, id).await), ["01:40", "01:20", "01:00", "00:40", "00:20"]);

        let pages = pages_of_two(&late, &format!("/scheduler/jobs/{id}/runs"), handle).await;
        let listed: Vec<_> = pages.iter().map(due).collect();
        assert_eq!(listed, [vec!["01:40", "01:20"], vec!["01:00", "00:40"], vec!["00:20"]]);
    }

    #[tokio::test]
    async fn runs_are_listed_until_their_retention_ends() {
        let (cloud, instance) = noon().await;
        let id = instance.create_scheduled_job().await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("requested");
        assert_eq!(
            instance.deliver_occurrence(&cloud.take_occurrences()[0]).await.expect("consumed"),
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
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("scheduled-job-run-list", handle).await;
    }

    #[tokio::test]
    async fn bad_parameters_are_rejected_by_name() {
        let (_cloud, instance) = noon().await;
        let path = format!("/scheduler/jobs/{}/runs", instance.create_scheduled_job().await);
        // runs#2026-11-20T23:20:00.000Z#7
        let bad_cursor = "cnVucyMyMDI2LTExLTIwVDIzOjIwOjAwLjAwMFojNw";
        assert_bad_paging_is_rejected(&instance, &path, bad_cursor, handle).await;
    }

    #[tokio::test]
    async fn the_cursor_of_another_jobs_runs_is_rejected() {
        let (cloud, instance) = noon().await;
        let (first, second) =
            (instance.create_scheduled_job().await, instance.create_scheduled_job().await);
        for _ in 0..2 {
            let now = instance.app.now();
            instance.app.schedules().run_now(first, None, now).await.expect("requested");
        }
        for message in cloud.take_occurrences() {
            instance.deliver_occurrence(&message).await.expect("consumed");
        }
        let page = Call::new("GET", &format!("/scheduler/jobs/{first}/runs?limit=1"));
        let page = page.to(&instance, handle).await;
        let cursor = page.body["next_cursor"].as_str().expect("a cursor");
        for (job, status) in [(first, 200), (second, 400)] {
            let call = Call::new("GET", &format!("/scheduler/jobs/{job}/runs?cursor={cursor}"));
            let answer = call.to(&instance, handle).await;
            assert_eq!(answer.status, status, "{}", answer.body);
            assert!(status == 200 || answer.field() == "cursor");
        }
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        let call = |id: &str| Call::new("GET", &format!("/scheduler/jobs/{id}/runs"));
        assert_bad_ids_are_rejected(call, handle).await;
    }
}
