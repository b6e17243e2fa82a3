//! Callers ask for the same figures of a company at once.

use std::{collections::BTreeSet, error::Error};

use clap::Args;
use form_urlencoded::byte_serialize;
use reqwest::StatusCode;

use crate::{
    api::{Answer, Api},
    crowd::Crowd,
    report::Run,
};

/// The scenario.
#[derive(Debug, Args)]
pub struct Demand {
    /// Whose figures are asked for
    #[arg(long, default_value = "merchant_001")]
    company: String,
    /// Which: financials, sales or employee
    #[arg(long, default_value = "financials")]
    kind: String,
    /// How many ask for them, all at the same moment
    #[arg(long, default_value_t = 100)]
    callers: usize,
}

/// What a caller was told.
#[derive(Debug)]
struct Told {
    /// `computed`, `joined` or `cached`; of a failure, what it was.
    how: String,
    /// The body by its SHA-256; none of a failure.
    tag: Option<String>,
}

impl Demand {
    /// Lets all ask, and compares what they are told.
    pub async fn run(self, api: &Api, run: &Run) -> Result<(), Box<dyn Error>> {
        let company: String = byte_serialize(self.company.as_bytes()).collect();
        let path = format!("/api/{}?companyId={company}", self.kind);
        run.say(format_args!("{} callers ask for {path} at once.", self.callers));
        let callers: Vec<usize> = (0..self.callers).collect();
        let protected = callers.iter().map(|_| ask(api, &path));
        let asked = Crowd::send(run, api, "callers", self.callers, protected, |told: &Told| {
            told.how.clone()
        })
        .await;

        let tags: BTreeSet<_> = asked.outcomes.iter().map(|told| &told.tag).collect();
        let computed = asked.counts.get("computed").copied().unwrap_or_default();
        let same = tags.len() == 1 && tags.first().is_some_and(|tag| tag.is_some());
        run.holds(format!("all get the same figures: {} different answers", tags.len()), same);
        run.holds(format!("they are computed at most once: {computed} times"), computed <= 1);
        Ok(())
    }
}

async fn ask(api: &Api, path: &str) -> Told {
    match api.get(path).await {
        Ok(answer) if answer.status == StatusCode::OK => {
            let said = |name| answer.header(name).unwrap_or("?").to_owned();
            Told { how: said("x-once"), tag: Some(said("etag")) }
        }
        Ok(Answer { status, body, .. }) => {
            Told { how: format!("{} {body}", status.as_u16()), tag: None }
        }
        Err(failure) => Told { how: failure.to_string(), tag: None },
    }
}
