//! Handlers of scheduled jobs and their schedules, and the workers that run them.

pub mod job_create;
pub mod job_delete;
pub mod job_get;
pub mod job_list;
pub mod job_pause;
pub mod job_put;
pub mod job_resume;
pub mod job_run;
pub mod job_run_list;
pub mod preview;
pub mod run;
pub mod schedule_delete;
pub mod schedule_get;
pub mod schedule_put;
pub mod tick;

#[cfg(test)]
mod testing {
    //! What the tests of these handlers share.

    use once::{
        App,
        http::{ApiError, Reply, Request},
        testing::{Answer, Call, Cloud, Instance, SCHEDULES_TABLE},
    };
    use serde_json::{Value, json};

    pub const NOON: &str = "2026-11-20T12:00:00.000Z";

    /// An instance at noon.
    pub async fn noon() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = at(&cloud.instance(), "12:00:00");
        (cloud, instance)
    }

    /// The instance at another time of that day.
    pub fn at(instance: &Instance, time: &str) -> Instance {
        instance.at(format!("2026-11-20T{time}Z").parse().expect("a time"))
    }

    /// A schedule with a fixed interval.
    pub fn every(seconds: i64) -> Value {
        json!({"type": "fixed", "every_seconds": seconds})
    }

    /// Texts that are no ids of scheduled jobs.
    const BAD_IDS: [&str; 8] = [
        "7",
        "scheduled_job_",
        "scheduled_job_7",
        "0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
        "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
        "scheduled_job_0199A3C4-5E6F-7A8B-9C0D-1E2F3A4B5C6D",
        "scheduled_job_0199a3c45e6f7a8b9c0d1e2f3a4b5c6d",
        "SCHEDULED_JOB_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
    ];

    /// Asserts that a handler rejects bad ids in its path by name, and stores and sends nothing.
    pub async fn assert_bad_ids_are_rejected<H, F>(call: impl Fn(&str) -> Call, handler: H)
    where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let cloud = Cloud::start().await;
        for id in BAD_IDS {
            assert_is_invalid(&call(id).to(&cloud.instance(), handler).await, "id", id);
        }
        assert_is_untouched(&cloud).await;
    }

    /// Asserts that the sample event of a function, which is about a job that does not exist, is
    /// answered with 404, and that nothing is stored or sent.
    pub async fn assert_sample_job_is_not_found<H, F>(function: &str, handler: H)
    where
        H: Fn(App, Request) -> F,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let cloud = Cloud::start().await;
        let response = Call::sample(function).response(&cloud.instance(), handler).await;
        let answer = Answer::from(response);
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
        assert_is_untouched(&cloud).await;
    }

    /// Asserts that a list rejects bad paging parameters by name. `bad_cursor` is a cursor whose id
    /// is no id of the list's rows.
    pub async fn assert_bad_paging_is_rejected<H, F>(
        instance: &Instance,
        path: &str,
        bad_cursor: &str,
        handler: H,
    ) where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
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
            (&format!("cursor={bad_cursor}"), "cursor"),
            ("offset=1", "offset"),
        ] {
            let call = Call::new("GET", &format!("{path}?{query}"));
            assert_is_invalid(&call.to(instance, handler).await, field, query);
        }
    }

    /// Asserts that a list of five rows has three pages of at most two, and that a page of all five
    /// is the last one. Returns the pages.
    pub async fn pages_of_two<H, F>(instance: &Instance, path: &str, handler: H) -> Vec<Answer>
    where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let get =
            |query: String| Call::new("GET", &format!("{path}?{query}")).to(instance, handler);
        let all = get("limit=5".to_owned()).await;
        assert_eq!((all.status, &all.body["next_cursor"]), (200, &json!(null)), "{}", all.body);
        let mut pages = vec![get("limit=2".to_owned()).await];
        while let Some(cursor) = pages[pages.len() - 1].body["next_cursor"].as_str() {
            pages.push(get(format!("limit=2&cursor={cursor}")).await);
        }
        assert_eq!(pages.len(), 3);
        pages
    }

    /// Asserts that an answer rejects this field.
    pub fn assert_is_invalid(answer: &Answer, field: &str, input: impl std::fmt::Display) {
        assert_eq!(
            (answer.status, answer.code(), answer.field()),
            (400, "INVALID_REQUEST", field),
            "{input}: {}",
            answer.body
        );
    }

    async fn assert_is_untouched(cloud: &Cloud) {
        assert!(cloud.items(SCHEDULES_TABLE).await.is_empty());
        assert!(cloud.services().take_queued().is_empty());
    }
}
