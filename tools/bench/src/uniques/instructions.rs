//! How many instructions a request costs, and how many of them are the SDK's. Counted by callgrind, so the same whatever else
//! the machine does.

use std::{env, process::Command};

use once::testing::{app_over, client_over};

use super::{answer, bare::BarePut, canned::Canned};

/// The difference of two runs is what so many ids cost without the start.
const FEW: u64 = 500;
const MANY: u64 = 2_500;

/// Prints both counts.
///
/// # Panics
/// If valgrind is missing.
pub fn run() {
    println!("\nuniques: instructions a request, counted by callgrind ({} of them)", MANY - FEW);
    let (ours, bare) = (each("handler"), each("bare"));
    println!("accept       {ours:>8.0}");
    println!("bare put     {bare:>8.0}");
    println!("above it     {:>7.1}%  (goal: at most 10%)", (ours / bare - 1.0) * 100.0);
    println!("duplicate    {:>8.0}", each("duplicate"));
}

fn each(side: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 instructions")]
    let difference = (count(side, MANY) - count(side, FEW)) as f64;
    #[expect(clippy::cast_precision_loss, reason = "few ids")]
    let ids = (MANY - FEW) as f64;
    difference / ids
}

fn count(side: &str, ids: u64) -> u64 {
    let own = env::current_exe().expect("this program has a path");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(own);
    valgrind.args(["probe", side, &ids.to_string()]);
    let output = valgrind
        .output()
        .unwrap_or_else(|error| panic!("valgrind counts the instructions: install it ({error})"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said
        .lines()
        .find_map(|line| line.split("Collected : ").nth(1))
        .expect("callgrind tells its count");
    line.trim().parse().expect("a count")
}

/// What is counted.
pub async fn probe(side: &str, ids: u64) {
    let app = app_over(Canned);
    let put = BarePut::to(&client_over(Canned));
    for id in 0..i64::try_from(ids).expect("few ids") {
        match side {
            "handler" => assert_eq!(answer(&app, id).await, 200),
            "duplicate" => assert!(matches!(answer(&app, 7).await, 200 | 409)),
            _ => put.send(id).await,
        }
    }
}
