//! `once play`: the main job of every feature, played against a stack, and what happened on a page.

use std::{error::Error, fmt::Write as _, path::PathBuf, time::Instant};

use clap::{Args, Parser};
use load::{Load, Target};
use seed::Seed;

/// The last day that is settled: a past one, so that the ledger of these days holds nothing else
/// whenever this is played again.
const SETTLED_UNTIL: &str = "2025-12-31";

/// The options of `once play`.
#[derive(Debug, Args)]
pub struct Play {
    /// Number of buyers who compete for 100 units
    #[arg(long, default_value_t = 500)]
    buyers: u32,
    /// Number of payments to settle
    #[arg(long, default_value_t = 100_000)]
    payments: u32,
    /// Number of concurrent callers of the figures of one company
    #[arg(long, default_value_t = 100)]
    callers: u32,
    /// Number of distinct ids; half as many requests more repeat one of them
    #[arg(long, default_value_t = 100_000)]
    ids: u32,
    /// Folder for the expected sums and the reports
    #[arg(long, default_value = ".local")]
    reports: PathBuf,
}

/// A scenario with the arguments of `once load`.
#[derive(Parser)]
struct Scenario {
    #[command(flatten)]
    load: Load,
}

/// Payments with the arguments of `once seed`.
#[derive(Parser)]
struct Payments {
    #[command(flatten)]
    seed: Seed,
}

/// What has been played.
struct Page<'a> {
    target: &'a Target,
    text: String,
}

impl Play {
    /// Plays everything in turn and prints the page. Ends at the first invariant that does not
    /// hold.
    ///
    /// # Errors
    /// The stack does not answer as it should.
    pub async fn run(self, target: &Target) -> Result<(), Box<dyn Error>> {
        let Self { buyers, payments, callers, ids, reports } = &self;
        let file = |name: &str| reports.join(name).display().to_string();
        let (sums, orders) = (file("sums.csv"), file("orders.html"));
        let mut page = Page { target, text: String::new() };

        // First, so that everything else is played while the minute ends.
        let requests = ids + ids / 2;
        let title_of_ids =
            format!("{ids} ids in {requests} requests, and the counts of their minutes");
        println!("\n== {title_of_ids} ==");
        let receiver = format!("{}/test", target.url);
        let sent = format!("--requests {requests} --distinct {ids} --at-once 64");
        let arguments = format!("accept {sent} --callback-url {receiver}");
        let accepting = Instant::now();
        let accepted = scenario(&arguments)?.begin(target.clone()).await;

        let title = format!("{buyers} buyers at once, 100 units");
        page.load(&title, &format!("orders --buyers {buyers} --stock 100 --html {orders}")).await?;

        let seeded = format!("--until {SETTLED_UNTIL} --transactions {payments} --sums {sums}");
        page.seed(&format!("{payments} payments seeded"), &seeded).await?;
        let title = format!("{payments} payments settled, byte for byte");
        page.load(&title, &format!("settlement --to {SETTLED_UNTIL} --sums {sums}")).await?;

        page.seed("payments of the last 30 days", "--transactions 10000").await?;
        let title = format!("figures of a company for {callers} callers at once");
        page.load(&title, &format!("figures --company merchant_001 --callers {callers}")).await?;

        page.load("a webhook every 2 s, at its seconds", "schedule").await?;

        println!("\n== the counts of the minutes ==");
        let summary = accepted.finish().await?;
        page.add(&title_of_ids, accepting, &summary);

        let Target { url, .. } = target;
        println!("\n{}\nThe API is at {url}, its documentation at {url}/docs", page.text);
        println!("Charts of the orders: {orders}");
        Ok(())
    }
}

impl Page<'_> {
    /// Runs a scenario and adds its throughput.
    async fn load(&mut self, title: &str, arguments: &str) -> Result<(), Box<dyn Error>> {
        println!("\n== {title} ==");
        let start = Instant::now();
        let summary = scenario(arguments)?.run(self.target.clone()).await?;
        self.add(title, start, &summary);
        Ok(())
    }

    /// Writes payments.
    async fn seed(&mut self, title: &str, arguments: &str) -> Result<(), Box<dyn Error>> {
        println!("\n== {title} ==");
        let start = Instant::now();
        let Payments { seed } = Payments::try_parse_from(words(arguments))?;
        seed.run().await?;
        self.add(title, start, &[]);
        Ok(())
    }

    fn add(&mut self, title: &str, start: Instant, summary: &[String]) {
        let _ = writeln!(self.text, "{:>7.1} s  {title}", start.elapsed().as_secs_f64());
        for line in summary {
            let _ = writeln!(self.text, "           {line}");
        }
    }
}

fn scenario(arguments: &str) -> Result<Load, clap::Error> {
    Ok(Scenario::try_parse_from(words(arguments))?.load)
}

/// Returns the arguments as those of a program.
fn words(arguments: &str) -> impl Iterator<Item = &str> {
    ["once"].into_iter().chain(arguments.split(' '))
}
