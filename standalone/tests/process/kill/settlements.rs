//! Settlements of days that are over.

use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    api::{Api, Call},
    folder::Folder,
    program::{ONCE, Once},
};

/// The days of the seeded payments.
const FROM: &str = "2025-12-29";
const TO: &str = "2025-12-31";

/// The states on the way to a file, in their order.
const STATES: [&str; 4] = ["QUEUED", "RUNNING", "FINISHING", "COMPLETED"];

const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The settlements that were answered 202.
pub struct Settlements {
    /// The last known state of each, as an index of [`STATES`].
    states: BTreeMap<String, usize>,
    /// The file that each must have.
    file: String,
}

impl Settlements {
    /// Fills the ledger of some past days.
    pub fn seed(once: &Once, folder: &Folder) -> Self {
        let sums = folder.path("sums.csv");
        // The file of variables is written for a shell.
        let script = r#". "$1" && shift && exec "$@""#;
        let seeded = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(once.env())
            .args([ONCE, "seed", "--until", TO, "--days", "3", "--transactions", "3000"])
            .args(["--merchants", "20", "--products", "5", "--sums"])
            .arg(&sums)
            .output()
            .expect("it starts");
        assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
        let file = fs::read_to_string(sums).expect("sums");
        Self { states: BTreeMap::new(), file }
    }

    /// Requests a settlement, and watches all until the process dies.
    pub async fn run(&mut self, api: &Api) {
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..100))).await;
        let call = create();
        let Some(answer) = api.send(&call).await else { return };
        let job = answer.expect(202, &call);
        self.states.insert(job["job_id"].as_str().expect("an id").to_owned(), 0);
        while self.look(api).await.is_some() {}
    }

    /// Checks that all are there, and none has a state of before.
    pub async fn check(&mut self, api: &Api) {
        self.look(api).await.expect("the process lives");
    }

    /// Waits until all are completed, and compares their files with that of a settlement which
    /// nothing disturbs. Those whose request was not answered are compared `with_unanswered` only:
    /// a request that dies before it sends its message leaves it to `settlement-recover`, two
    /// minutes later.
    pub async fn end(mut self, api: &Api, with_unanswered: bool, deadline: Instant) {
        let answered = self.states.len();
        if with_unanswered {
            for job in api.list("/jobs", "jobs").await {
                self.states.entry(job["job_id"].as_str().expect("an id").to_owned()).or_default();
            }
        }
        self.complete_all(api, deadline).await;
        println!("{} settlements, of which {answered} were answered", self.states.len());

        let call = create();
        let fresh = api.answer(&call).await.expect(202, &call);
        let fresh = fresh["job_id"].as_str().expect("an id").to_owned();
        self.states.insert(fresh, 0);
        self.complete_all(api, deadline).await;
        for id in self.states.keys() {
            let call = Call::get(format!("/downloads/{id}.csv"));
            let answer = api.answer(&call).await;
            assert_eq!(answer.status, 200, "{answer}");
            assert!(answer.body == self.file, "the file of {id} is {answer}");
        }
    }

    async fn complete_all(&mut self, api: &Api, deadline: Instant) {
        while self.states.values().any(|state| *state < STATES.len() - 1) {
            assert!(Instant::now() < deadline, "not completed: {:?}", self.states);
            tokio::time::sleep(POLL_INTERVAL).await;
            self.look(api).await.expect("the process lives");
        }
    }

    /// Updates the states, which only proceed.
    async fn look(&mut self, api: &Api) -> Option<()> {
        for (id, before) in &mut self.states {
            let call = Call::get(format!("/jobs/{id}"));
            let job = api.send(&call).await?.expect(200, &call);
            let state = STATES.iter().position(|state| job["status"] == *state);
            let state = state.unwrap_or_else(|| panic!("{job}"));
            assert!(*before <= state, "was {}: {job}", STATES[*before]);
            *before = state;
        }
        Some(())
    }
}

/// A settlement that joins no other.
fn create() -> Call {
    Call::post("/jobs/settlement?force=true", json!({"from": FROM, "to": TO}))
}
