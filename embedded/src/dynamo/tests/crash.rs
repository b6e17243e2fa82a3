use std::{
    collections::HashSet,
    env,
    ffi::OsString,
    io::{BufRead, BufReader},
    process::{self, Command, Stdio},
};

use super::*;

/// The variable that makes this test the process that is killed.
const VICTIM: &str = "EMBEDDED_TEST_VICTIM";

/// What the process prints before the name of a write that was answered.
const ANSWERED: &str = "answered ";

#[tokio::test(flavor = "multi_thread")]
async fn every_answered_write_survives_a_kill() {
    if let Some(path) = env::var_os(VICTIM) {
        write_forever(path).await;
    }
    let folder = Folder::new();
    for round in 0..3 {
        let answered = write_and_kill(&store_file(&folder), 200);
        let store = Store::open(store_file(&folder), Durability::Full).expect("the store");
        let client = client(&store);
        for name in &answered {
            assert!(get(&client, name, "1").await.is_some(), "{name} is lost in round {round}");
        }
    }
}

/// Starts this test as another process, kills it after a number of answers, and returns those.
fn write_and_kill(path: &Path, answers: usize) -> HashSet<String> {
    let mut process = Command::new(env::current_exe().expect("a program"))
        .args(["dynamo::tests::crash::every_answered_write_survives_a_kill", "--exact"])
        .args(["--nocapture", "--test-threads=2"])
        .env(VICTIM, path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let lines = BufReader::new(process.stdout.take().expect("an output")).lines();
    let mut names = HashSet::new();
    // What was printed between the kill and the end of the output was answered, too.
    for line in lines.map_while(Result::ok) {
        if let Some((_, name)) = line.split_once(ANSWERED) {
            names.insert(name.to_owned());
        }
        if names.len() == answers {
            process.kill().expect("a running process");
        }
    }
    process.wait().expect("an end");
    assert!(names.len() >= answers, "{} answers", names.len());
    names
}

async fn write_forever(path: OsString) {
    let store = Store::open(path, Durability::Full).expect("a store");
    store.create_table(&definition()).await.expect("a table");
    let start = process::id();
    let write = |writer: u32| {
        let client = client(&store);
        tokio::spawn(async move {
            for n in 0_u64.. {
                let name = format!("{start}-{writer}-{n}");
                put(&client, key(&name, "1")).await;
                println!("{ANSWERED}{name}");
            }
        })
    };
    futures_util::future::join_all((0..8).map(write)).await;
}
