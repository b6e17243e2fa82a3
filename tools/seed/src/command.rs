//! `once seed`

use std::{
    error::Error,
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{Plan, Stack, Sum, create_products, put_companies, write_entries};

/// Fills a stack's tables with companies, products and paid transactions, and adds up the sums that
/// a settlement must return
///
/// The environment variables `COMPANIES_TABLE`, `ORDERS_TABLE` and `LEDGER_TABLE` name the tables;
/// region, credentials and endpoint come from the environment as well, as in a function. The file
/// `env` in the data folder of `once serve` sets all of them. The same arguments, `--until`
/// included, write the same items on every machine and in every run.
#[derive(Debug, Args)]
pub struct Seed {
    #[command(flatten)]
    plan: Plan,
    /// CSV file for the sums of every merchant and day; emptied at the start, and written after all
    /// transactions
    #[arg(long)]
    sums: Option<PathBuf>,
    /// Number of concurrent batches, of 25 transactions each
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    at_once: u16,
}

impl Seed {
    /// Fills the tables and prints what was written.
    ///
    /// # Errors
    /// A variable is missing, a table cannot be written, or the file of sums cannot.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let Self { plan, sums, at_once } = &self;
        let stack = Stack::from_env()?;
        let file = sums.as_deref().map(create).transpose()?;
        let catalog = plan.catalog()?;

        let employees = put_companies(&stack, plan).await?;
        println!("{} companies with {employees} employees", plan.merchants);

        let new = create_products(&stack, plan, &catalog).await?;
        println!("{} products of {} merchants, {new} of them new", plan.products, plan.merchants);

        let bar = progress_bar(plan.transactions)?;
        let start = Instant::now();
        let writing = write_entries(&stack, plan, &catalog, usize::from(*at_once), |count| {
            bar.inc(count.try_into().unwrap_or_default());
        });
        let summary = writing.await.inspect_err(|_| bar.abandon())?;
        let seconds = start.elapsed().as_secs_f64();
        bar.finish_and_clear();

        if let Some(file) = file {
            summary.sums.write_csv(&mut BufWriter::new(file))?;
        }
        let Sum { gross, fee, net, count } = summary.sums.total();
        println!("gross {gross}, fee {fee}, net {net}");
        #[expect(clippy::cast_precision_loss, reason = "a displayed rate")]
        let rate = count as f64 / seconds;
        println!(
            "{count} transactions in {seconds:.1} s, {rate:.0} items per second, {:.0} write units",
            summary.units
        );
        Ok(())
    }
}

fn create(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns a progress bar, which is shown on a terminal only.
fn progress_bar(transactions: u64) -> Result<ProgressBar, Box<dyn Error>> {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {eta} left")?;
    Ok(ProgressBar::new(transactions).with_style(style))
}

#[cfg(test)]
mod tests {
    use once::time::{Day, Timestamp};

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        seed: Seed,
    }

    #[test]
    fn invalid_arguments_are_named() {
        for (argument, value) in [
            ("--merchants", "0"),
            ("--merchants", "1000"),
            ("--products", "0"),
            ("--transactions", "0"),
            ("--transactions", "many"),
            ("--days", "0"),
            ("--until", "2026-11-31"),
            ("--until", "tomorrow"),
            ("--seed", "-1"),
            ("--at-once", "0"),
        ] {
            // clap rejects an argument that is given twice.
            let until = if argument == "--until" { vec![] } else { vec!["--until", "2026-11-20"] };
            let given = ["seed"].into_iter().chain(until);
            let invalid = format!("{argument}={value}");
            let error = Arguments::try_parse_from(given.chain([&*invalid]))
                .expect_err(&invalid)
                .to_string();
            assert!(error.contains(argument) && error.contains(value), "{error}");
        }
        assert!(
            Arguments::try_parse_from(["seed", "--until", "2026-11-20", "--merchants", "999"])
                .is_ok()
        );
    }

    #[test]
    fn the_default_last_day_is_yesterday() {
        let today = || Day::of(Timestamp::now());
        let (before, plan) = (
            today(),
            Arguments::try_parse_from(["seed"]).expect("no argument is required").seed.plan,
        );
        assert!([before, today()].contains(&plan.until.plus(1)));
    }

    #[test]
    fn the_default_arguments_are_the_default_plan() {
        let plan = Arguments::try_parse_from(["seed", "--until", "2026-11-20"])
            .expect("valid arguments")
            .seed
            .plan;
        assert_eq!(plan, Plan::until("2026-11-20".parse().expect("a day")));
    }
}
