//! `GET /downloads/{job_id}.csv`

use lambda_http::http::{StatusCode, header};
use once::{
    App,
    http::{self, ApiError, Reply, Request},
    settlement::{Content, Download, JobId},
};

/// Returns the file of a completed settlement, or a redirect to it where it is large.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let file: String = http::path_parameter(&request, "file")?;
    let id = job_id(&file).ok_or_else(|| ApiError::invalid("file", "must be <job id>.csv"))?;
    let is_cached = |hash: &str| http::if_none_match(&request, hash);
    Ok(reply(app.settlement().download(id, is_cached).await?))
}

/// The settlement that a file belongs to.
fn job_id(file: &str) -> Option<JobId> {
    file.strip_suffix(".csv")?.parse().ok()
}

/// 200 with the whole file, 302 with a link to it, or 304 if the caller has it.
fn reply(file: Download) -> Reply {
    let tag = format!("\"{}\"", file.sha256);
    let reply = match file.content {
        Content::NotModified => Reply::empty(StatusCode::NOT_MODIFIED),
        Content::Link(url) => Reply::empty(StatusCode::FOUND).header(header::LOCATION, &url),
        Content::Text(text) => {
            Reply::new(StatusCode::OK, "text/csv; charset=utf-8; header=present", text)
                .header(header::CONTENT_DISPOSITION, &file.disposition)
        }
    };
    // Caches must ask each time whether the file has changed.
    reply.header(header::ETAG, &tag).header(header::CACHE_CONTROL, "private, no-cache")
}

#[cfg(test)]
mod tests {
    use once::{
        dynamo::{keys, number},
        http::{Body, Response},
        settlement::JobId,
        testing::{Answer, Call, Cloud, Instance, SETTLEMENTS_TABLE, sample},
    };

    use super::*;

    const FILE: &str = "merchant_id,date,gross,fee,net,txn_count\r\n\
                        merchant_001,2026-11-19,30.00,0.87,29.13,3\r\n";

    /// The output of `sha256sum`, in quotes.
    const TAG: &str = "\"0db8f73c78d620b89b9246abfd6cfb98a11bf432a12f5705959fb7d1c605316e\"";

    /// A settlement of three transactions.
    async fn queued() -> (Cloud, Instance, JobId) {
        let cloud = Cloud::start().await;
        cloud.record_sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.create_settlement("2026-11-18", "2026-11-19").await;
        (cloud, instance, id)
    }

    async fn completed() -> (Cloud, Instance, JobId) {
        let (cloud, instance, id) = queued().await;
        cloud.deliver_all(&instance).await;
        (cloud, instance, id)
    }

    fn download(id: JobId) -> Call {
        Call::new("GET", &format!("/downloads/{id}.csv"))
    }

    async fn send(instance: &Instance, call: Call) -> Response<Body> {
        call.response(instance, handle).await
    }

    async fn rejection(instance: &Instance, id: JobId) -> (u16, String) {
        let answer = download(id).to(instance, handle).await;
        (answer.status, answer.code().to_owned())
    }

    /// Returns the key of the only report in the bucket.
    fn report(cloud: &Cloud) -> String {
        cloud
            .services()
            .files()
            .into_keys()
            .find(|key| key.starts_with("reports/"))
            .expect("a file")
    }

    #[tokio::test]
    async fn a_file_is_returned_with_its_name_and_its_tag() {
        let (_cloud, instance, id) = completed().await;
        let response = send(&instance, download(id)).await;
        assert_eq!(
            (response.status().as_u16(), response.body()),
            (200, &Body::Text(FILE.to_owned()))
        );
        let headers = response.headers();
        assert_eq!(headers["content-type"], "text/csv; charset=utf-8; header=present");
        let name = format!("settlement_2026-11-18_2026-11-19_{id}.csv");
        assert_eq!(headers["content-disposition"], format!("attachment; filename=\"{name}\""));
        assert_eq!(headers["etag"], TAG);
        assert_eq!(headers["cache-control"], "private, no-cache");
    }

    #[tokio::test]
    async fn a_caller_who_has_the_file_receives_304() {
        let (_cloud, instance, id) = completed().await;
        for tag in [TAG.to_owned(), format!("W/{TAG}"), format!("\"other\", {TAG}"), "*".to_owned()]
        {
            let response = send(&instance, download(id).header("if-none-match", &tag)).await;
            assert_eq!(
                (response.status().as_u16(), response.body()),
                (304, &Body::Text(String::new())),
                "{tag}"
            );
            assert_eq!(response.headers()["etag"], TAG);
        }
        for other in ["\"other\"", "", &TAG.replace('e', "f")] {
            let response = send(&instance, download(id).header("if-none-match", other)).await;
            assert_eq!(response.status(), 200, "{other}");
        }
    }

    #[tokio::test]
    async fn a_large_file_is_a_redirect_to_a_link_of_five_minutes() {
        let (cloud, instance, id) = completed().await;
        for (bytes, status) in [(4 * 1_024 * 1_024, 200), (4 * 1_024 * 1_024 + 1, 302)] {
            let key = keys::job(&id.to_string()).attributes();
            let update =
                cloud.client().update_item().table_name(SETTLEMENTS_TABLE).set_key(Some(key));
            let update = update.update_expression("SET #file.#bytes = :bytes");
            let update = update
                .expression_attribute_names("#file", "file")
                .expression_attribute_names("#bytes", "bytes");
            update
                .expression_attribute_values(":bytes", number(bytes))
                .send()
                .await
                .expect("updated");
            assert_eq!(send(&instance, download(id)).await.status(), status, "{bytes}");
        }
        let response = send(&instance, download(id)).await;
        assert_eq!(
            (response.body(), &response.headers()["etag"]),
            (&Body::Text(String::new()), &TAG.parse().expect("a tag"))
        );
        let link = response.headers()["location"].to_str().expect("ASCII");
        assert!(link.contains(&format!("/{}?", report(&cloud))), "{link}");
        for part in [
            "X-Amz-Expires=300",
            "X-Amz-Signature=",
            "response-content-disposition=attachment%3B%20filename",
        ] {
            assert!(link.contains(part), "{part} is not in {link}");
        }
    }

    #[tokio::test]
    async fn a_file_with_another_checksum_is_not_returned() {
        let (cloud, instance, id) = completed().await;
        cloud.services().put_file(&report(&cloud), FILE.replace("29.13", "92.13"));
        let answer: Answer = send(&instance, download(id)).await.into();
        assert_eq!((answer.status, answer.code()), (500, "INTERNAL"));
        assert_eq!(
            answer.body["error"]["message"],
            "Internal error: see the log under the request id"
        );
        assert!(!answer.headers.contains_key("etag"));
    }

    #[tokio::test]
    async fn a_file_that_has_expired_is_gone() {
        let (cloud, instance, id) = completed().await;
        cloud.services().remove_file(&report(&cloud));
        assert_eq!(rejection(&instance, id).await, (410, "FILE_EXPIRED".to_owned()));
    }

    #[tokio::test]
    async fn there_is_no_file_before_the_settlement_is_completed() {
        let (cloud, instance, id) = queued().await;
        for state in ["QUEUED", "RUNNING", "FINISHING"] {
            let answer = download(id).to(&instance, handle).await;
            assert_eq!((answer.status, answer.code()), (409, "JOB_NOT_FINISHED"));
            assert_eq!(
                answer.body["error"]["message"],
                format!("The job is {state}: its file does not exist yet")
            );
            assert_eq!(answer.headers["retry-after"], "5");
            for message in cloud.services().take_queued() {
                instance.deliver(&message).await;
            }
        }
        assert_eq!(send(&instance, download(id)).await.status(), 200);
    }

    #[tokio::test]
    async fn there_is_no_file_of_a_cancelled_or_failed_settlement() {
        let (cloud, instance, cancelled) = queued().await;
        instance.app.settlement().cancel(cancelled, instance.app.now()).await.expect("cancelled");
        assert_eq!(rejection(&instance, cancelled).await, (410, "JOB_CANCELLED".to_owned()));
        drop(cloud.services().take_queued());
        let failed = instance.create_settlement("2026-11-18", "2026-11-19").await;
        instance.handle_dead_letter(&cloud.services().take_queued()[0]).await;
        assert_eq!(rejection(&instance, failed).await, (410, "JOB_FAILED".to_owned()));
    }

    #[tokio::test]
    async fn the_sample_names_a_settlement_that_does_not_exist() {
        let cloud = Cloud::start().await;
        let error =
            handle(cloud.instance().app, sample("settlement-download")).await.expect_err("no job");
        let id = "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("an id");
        assert_eq!(error, ApiError::job_not_found(id));
    }

    #[tokio::test]
    async fn an_invalid_file_name_is_rejected() {
        let (_cloud, instance, id) = completed().await;
        for file in [
            "..",
            "%2e%2e",
            "..%2f..%2fparts",
            &format!("..%2f{id}.csv"),
            "job_x.csv",
            ".csv",
            "",
            &format!("{id}.CSV"),
            &format!("{id}"),
            &format!("{id}.csv.csv"),
            &format!("{id}.csv%00"),
        ] {
            let answer =
                Call::new("GET", &format!("/downloads/{file}")).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "file"),
                "{file}"
            );
        }
    }
}
