//! Size and start-up of every program of the package `functions`, as a Markdown table.
//!
//! The floor is `tools/bare`, measured in the same run. Only DynamoDB is there to be prewarmed:
//! calls to other services (`health`) fail, which does not prevent the start.

use std::time::Duration;

use once::testing::Cloud;

use super::program::Program;
use crate::stats::Durations;

/// Starts of each program, in turns.
const STARTS: usize = 7;

/// Builds all programs as they are deployed and prints the table, sorted by name.
pub async fn run() {
    let cloud = Cloud::start().await;
    let mut programs = vec![Program::build("bare", "bare").await];
    programs.extend(Program::build_all("functions").await);

    let mut starts: Vec<Vec<Duration>> = programs.iter().map(|_| Vec::new()).collect();
    for _ in 0..STARTS {
        for (program, starts) in programs.iter().zip(&mut starts) {
            starts.push(program.start(cloud.endpoint().await).await.start);
        }
    }
    println!("\nprograms: medians of {STARTS} starts in turns; `bare` is the floor\n");
    println!("| program | binary, MB | zip, MB | start, ms | ratio |");
    println!("|---|---|---|---|---|");
    let mut floor = None;
    for (program, starts) in programs.iter().zip(starts) {
        let start = Durations::from_iter(starts).millis(50);
        let ratio = start / *floor.get_or_insert(start);
        let (size, zipped) = program.megabytes();
        let name = program.name();
        println!("| `{name}` | {size:.2} | {zipped:.2} | {start:.2} | {ratio:.2} |");
    }
}
