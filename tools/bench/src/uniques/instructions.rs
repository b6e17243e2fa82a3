//! Instructions per request, of the handler and of the SDK alone, counted by callgrind. The load of
//! the machine does not affect them.

use std::{env, process::Command};

use once::testing::{app_over, client_over};

use super::{bare::BarePut, instant_store::InstantStore, status};

/// Ids of two runs. Their difference excludes the start of the process.
const FEW: u64 = 500;
const MANY: u64 = 2_500;

/// Prints the counts of the handler, of the bare put and of a duplicate.
///
/// # Panics
/// If valgrind is not installed.
pub fn run() {
    println!(
        "\nuniques: instructions per request, counted by callgrind over {} requests",
        MANY - FEW
    );
    let (ours, bare) = (per_request("handler"), per_request("bare"));
    println!("accept       {ours:>8.0}");
    println!("bare put     {bare:>8.0}");
    println!("above it     {:>7.1}%  (goal: at most 10%)", (ours / bare - 1.0) * 100.0);
    println!("duplicate    {:>8.0}", per_request("duplicate"));
}

/// Returns the instructions per request of one side.
fn per_request(side: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 instructions")]
    let difference = (count(side, MANY) - count(side, FEW)) as f64;
    #[expect(clippy::cast_precision_loss, reason = "few ids")]
    let ids = (MANY - FEW) as f64;
    difference / ids
}

/// Returns the instructions of a process that sends this number of ids.
fn count(side: &str, ids: u64) -> u64 {
    let program = env::current_exe().expect("the path of this program");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    valgrind.args(["probe", side, &ids.to_string()]);
    let output = valgrind.output().unwrap_or_else(|error| panic!("valgrind: {error}: install it"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = report
        .lines()
        .find_map(|line| line.split("Collected : ").nth(1))
        .expect("a line with the count");
    line.trim().parse().expect("a count")
}

/// The child process: sends this number of ids to one side.
pub async fn child(side: &str, ids: u64) {
    let app = app_over(InstantStore);
    let put = BarePut::to(&client_over(InstantStore));
    for id in 0..i64::try_from(ids).expect("few ids") {
        match side {
            "handler" => assert_eq!(status(&app, id).await, 200),
            "duplicate" => assert!(matches!(status(&app, 7).await, 200 | 409)),
            _ => put.send(id).await,
        }
    }
}
