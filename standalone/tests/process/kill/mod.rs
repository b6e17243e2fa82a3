//! The process is killed at random moments and loses nothing that it answered.
//!
//! Each part of the load remembers its requests and their answers. After each kill and start it
//! compares them with what the process answers now. A request without an answer may have had its
//! effect or not; it is sent again with its key, and then it has had it once.
//!
//! | file | what it loads and compares |
//! |---|---|
//! | `products` | products with their stock, their orders and cancellations |
//! | `ids` | unique ids, and the counts of their minutes |
//! | `settlements` | settlements of days that are over |
//! | `jobs` | scheduled jobs with schedules, and without |
//! | `occurrences` | the runs of one job whose schedule stays |
//! | `companies` | companies and their figures |

mod companies;
mod ids;
mod jobs;
mod occurrences;
mod products;
mod settlements;

use std::{
    env,
    ops::RangeInclusive,
    thread,
    time::{Duration, Instant},
};

use self::{
    companies::Companies, ids::Ids, jobs::Jobs, occurrences::Occurrences, products::Products,
    settlements::Settlements,
};
use crate::{
    api::Api,
    folder::Folder,
    program::{Once, serve_data},
};

/// The environment variable with the number of kills, and its default.
const KILLS: &str = "KILLS";
const DEFAULT_KILLS: u32 = 3;

/// How long the process is under load before it is killed, in ms.
const LIFE_MS: RangeInclusive<u64> = 50..=600;

/// How long a start may have gone on when it is killed, in ms.
const START_MS: RangeInclusive<u64> = 0..=150;

/// How long the work that the kills interrupted may take to end: leases of the dead end first.
const MAX_RECOVERY: Duration = Duration::from_mins(5);

/// Each kill uses up an attempt of the messages in flight, so the default of six would end some
/// settlements, as it should. Small batches are more messages.
const PARAMETERS: [&str; 4] =
    ["--parameter", "SettlementMaxAttempts=1000", "--parameter", "JobBatchSize=100"];

/// Everything that was requested of the process and answered by it.
struct Load {
    products: Products,
    ids: Ids,
    settlements: Settlements,
    jobs: Jobs,
    occurrences: Occurrences,
    companies: Companies,
}

impl Load {
    async fn begin(once: &Once, folder: &Folder) -> Self {
        Self {
            settlements: Settlements::seed(once, folder),
            products: Products::default(),
            ids: Ids::default(),
            jobs: Jobs::default(),
            occurrences: Occurrences::begin(&once.api()).await,
            companies: Companies::default(),
        }
    }

    /// Sends requests until the process dies.
    async fn run(&mut self, api: &Api) {
        tokio::join!(
            self.products.run(api),
            self.ids.run(api),
            self.settlements.run(api),
            self.jobs.run(api),
            self.companies.run(api),
        );
    }

    /// Checks what was answered since the last check.
    async fn check(&mut self, api: &Api) {
        // First those whose answers end soon.
        self.ids.check(api).await;
        self.companies.check(api).await;
        self.products.check(api).await;
        self.settlements.check(api).await;
        self.jobs.check(api).await;
    }

    /// Waits for all work to end, and checks its results.
    async fn end(self, api: &Api, with_unanswered: bool) {
        let start = Instant::now();
        let seconds = || start.elapsed().as_secs_f64();
        self.settlements.end(api, with_unanswered, start + MAX_RECOVERY).await;
        println!("{:>5.1} s: all settlements are completed", seconds());
        self.occurrences.end(api, start + MAX_RECOVERY).await;
        println!("{:>5.1} s: all occurrences have run", seconds());
        self.companies.end(api).await;
        self.products.end(api).await;
        self.jobs.end(api, self.occurrences.job()).await;
        self.ids.end(api).await;
        println!("{:>5.1} s: all is compared", seconds());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_answered_survives_kill_9() {
    let kills = env::var(KILLS).map_or(DEFAULT_KILLS, |kills| kills.parse().expect(KILLS));
    let folder = Folder::new();
    let mut once = Once::start(&folder, PARAMETERS);
    let mut load = Load::begin(&once, &folder).await;
    for kill in 1..=kills {
        let api = once.api();
        let life = Duration::from_millis(fastrand::u64(LIFE_MS));
        let die = async {
            tokio::time::sleep(life).await;
            once.kill();
        };
        tokio::join!(load.run(&api), die);
        if fastrand::bool() {
            kill_a_start(&folder);
        }
        // Neither survives less than the death of the process.
        let durability = fastrand::choice(["full", "normal"]).expect("one of them");
        once = Once::start(&folder, PARAMETERS.into_iter().chain(["--durability", durability]));
        load.check(&once.api()).await;
        println!("kill {kill} after {life:?}: nothing is lost");
    }
    load.end(&once.api(), kills > DEFAULT_KILLS).await;
    once.stop();
}

#[test]
fn a_first_start_that_is_killed_can_be_repeated() {
    for _ in 0..10 {
        let folder = Folder::new();
        kill_a_start(&folder);
        Once::start(&folder, []).stop();
    }
}

/// Starts a process on the data of a folder and kills it soon.
fn kill_a_start(folder: &Folder) {
    let mut process = serve_data(folder, PARAMETERS)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    thread::sleep(Duration::from_millis(fastrand::u64(START_MS)));
    process.kill().expect("a child");
    process.wait().expect("a child");
}
