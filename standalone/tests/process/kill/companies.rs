//! Companies and their figures.

use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::api::{Answer, Api, Call};

const KINDS: [&str; 3] = ["financials", "sales", "employee"];

/// Figures that end sooner are not compared: the request could come too late.
const MARGIN: Duration = Duration::from_secs(5);

/// The companies, one of each round, and the figures that were answered last.
#[derive(Default)]
pub struct Companies {
    companies: Vec<Company>,
}

struct Company {
    put: Call,
    id: String,
    /// The company, once it was answered.
    stored: Option<Value>,
    figures: Vec<Figures>,
}

/// Figures of a kind.
struct Figures {
    call: Call,
    body: Bytes,
    /// Until then, these are the figures.
    until: Instant,
}

impl Companies {
    /// Stores a company and requests its figures until the process dies.
    pub async fn run(&mut self, api: &Api) {
        let mut company = Company::new(self.companies.len());
        if company.store(api).await.is_some() {
            while company.request_figures(api).await.is_some() {}
        }
        self.companies.push(company);
    }

    /// Compares the new company, and figures that have not expired.
    pub async fn check(&mut self, api: &Api) {
        let Some(company) = self.companies.last_mut() else { return };
        if company.stored.is_none() {
            company.store(api).await.expect("the process lives");
        }
        let stored = api.get(format!("/companies/{}", company.id)).await;
        assert_eq!(Some(&stored), company.stored.as_ref());
        for figures in &company.figures {
            figures.check(api).await;
        }
    }

    /// Checks that each company has figures. Those of a computation that was interrupted are
    /// computed again when its claim has expired.
    pub async fn end(&self, api: &Api) {
        for company in &self.companies {
            for call in company.calls() {
                let mut answer = api.answer(&call).await;
                while answer.status == 504 {
                    answer = api.answer(&call).await;
                }
                assert_eq!(answer.expect(200, &call)["company_id"], company.id.as_str());
            }
        }
        println!("{} companies with figures", self.companies.len());
    }
}

impl Company {
    fn new(number: usize) -> Self {
        let id = format!("company-{number}");
        let body = json!({"name": format!("Company {number}"), "employees": number + 1});
        let put = Call::put(format!("/companies/{id}"), body);
        Self { put, id, stored: None, figures: Vec::new() }
    }

    async fn store(&mut self, api: &Api) -> Option<()> {
        self.stored = Some(api.send(&self.put).await?.expect(200, &self.put));
        Some(())
    }

    /// Returns the requests for the figures of each kind.
    fn calls(&self) -> [Call; KINDS.len()] {
        KINDS.map(|kind| Call::get(format!("/api/{kind}?companyId={}", self.id)))
    }

    /// Requests the figures of each kind. While they have not expired, all are the same.
    async fn request_figures(&mut self, api: &Api) -> Option<()> {
        for (number, call) in self.calls().into_iter().enumerate() {
            let answer = api.send(&call).await?;
            answer.expect(200, &call);
            let figures = Figures::new(call, &answer);
            match self.figures.get(number) {
                Some(before) => assert_eq!(before.body, figures.body, "{:?}", before.call),
                None => self.figures.push(figures),
            }
        }
        Some(())
    }
}

impl Figures {
    fn new(call: Call, answer: &Answer) -> Self {
        let max_age = answer.header("cache-control").strip_prefix("max-age=").expect("a lifetime");
        let seconds = |text: &str| Duration::from_secs(text.parse().expect("a number of seconds"));
        let life = seconds(max_age).saturating_sub(seconds(answer.header("age")));
        Self { call, body: answer.body.clone(), until: Instant::now() + life }
    }

    async fn check(&self, api: &Api) {
        if Instant::now() + MARGIN < self.until {
            let answer = api.answer(&self.call).await;
            answer.expect(200, &self.call);
            assert_eq!(answer.body, self.body, "{:?}", self.call);
            assert_eq!(answer.header("x-once"), "cached", "{:?}", self.call);
        }
    }
}
