//! The scenario `figures`: concurrent callers request the same figures of a company.
//!
//! Invariants: all callers get the same figures, and they are computed at most once.

use std::{collections::BTreeSet, error::Error};

use clap::Args;
use form_urlencoded::byte_serialize;
use reqwest::StatusCode;

use crate::{
    api::{Answer, Api},
    burst::Burst,
    report::Run,
};

/// Arguments of the scenario.
#[derive(Debug, Args)]
pub struct Scenario {
    /// Company whose figures are requested
    #[arg(long, default_value = "merchant_001")]
    company: String,
    /// Kind of figures: financials, sales or employee
    #[arg(long, default_value = "financials")]
    kind: String,
    /// Number of concurrent callers
    #[arg(long, default_value_t = 100)]
    callers: usize,
}

/// The outcome of one request.
#[derive(Debug)]
struct Outcome {
    /// Cache status `computed`, `joined` or `cached`; for a failure, its cause.
    label: String,
    /// `ETag` of the figures, the SHA-256 of their body; `None` for a failure.
    etag: Option<String>,
}

impl Scenario {
    /// Sends all requests at once and compares their answers.
    pub async fn run(self, api: &Api, run: &Run) -> Result<(), Box<dyn Error>> {
        let company: String = byte_serialize(self.company.as_bytes()).collect();
        let path = format!("/api/{}?companyId={company}", self.kind);
        run.note(format_args!("{} concurrent callers request {path}.", self.callers));
        let callers: Vec<usize> = (0..self.callers).collect();
        let requests = callers.iter().map(|_| request(api, &path));
        let label = |outcome: &Outcome| outcome.label.clone();
        let burst = Burst::send(run, api, "callers", self.callers, requests, label).await;

        let etags: BTreeSet<_> = burst.outcomes.iter().map(|outcome| &outcome.etag).collect();
        let computed = burst.counts.get("computed").copied().unwrap_or_default();
        let same = etags.len() == 1 && etags.first().is_some_and(|etag| etag.is_some());
        run.invariant(
            format!("all callers get the same figures: {} different answers", etags.len()),
            same,
        );
        run.invariant(
            format!("the figures are computed at most once: {computed} times"),
            computed <= 1,
        );
        Ok(())
    }
}

async fn request(api: &Api, path: &str) -> Outcome {
    match api.get(path).await {
        Ok(answer) if answer.status == StatusCode::OK => {
            let header = |name| answer.header(name).unwrap_or("?").to_owned();
            Outcome { label: header("x-once"), etag: Some(header("etag")) }
        }
        Ok(Answer { status, body, .. }) => {
            Outcome { label: format!("{} {body}", status.as_u16()), etag: None }
        }
        Err(failure) => Outcome { label: failure.to_string(), etag: None },
    }
}
