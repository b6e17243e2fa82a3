//! Callers ask for the same figures of a company at once.

use std::{collections::BTreeSet, error::Error};

use clap::Args;
use form_urlencoded::byte_serialize;
use reqwest::StatusCode;

use crate::{
    api::{Answer, Api},
    crowd::Crowd,
};

/// The scenario.
#[derive(Debug, Args)]
pub struct Demand {
    /// Base URL of the stack, as in .local/api-url or the output `ApiUrl`
    #[arg(long)]
    url: String,
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
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let api = Api::new(&self.url)?;
        let company: String = byte_serialize(self.company.as_bytes()).collect();
        let path = format!("/api/{}?companyId={company}", self.kind);
        println!("{} callers ask for {} at once.", self.callers, path);
        let asked = Crowd::send(&api, self.callers, (0..self.callers).map(|_| ask(&api, &path))).await;
        let counts = asked.report("callers", |told| told.how.clone());

        let tags: BTreeSet<_> = asked.outcomes.iter().map(|told| &told.tag).collect();
        let computed = counts.get("computed").copied().unwrap_or_default();
        match tags.first() {
            Some(Some(tag)) if tags.len() == 1 && computed <= 1 => {
                println!("All got the same figures, {tag}.");
                Ok(())
            }
            _ => Err(format!("{} different answers, computed {computed} times", tags.len()).into()),
        }
    }
}

async fn ask(api: &Api, path: &str) -> Told {
    match api.get(path).await {
        Ok(answer) if answer.status == StatusCode::OK => {
            let said = |name| answer.header(name).unwrap_or("?").to_owned();
            Told { how: said("x-once"), tag: Some(said("etag")) }
        }
        Ok(Answer { status, body, .. }) => Told { how: format!("{} {body}", status.as_u16()), tag: None },
        Err(failure) => Told { how: failure.to_string(), tag: None },
    }
}
