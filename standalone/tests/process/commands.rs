//! The other commands: in the background, copies of the data, and the state of a stack.

use std::{path::Path, process::Command};

use serde_json::json;

use crate::{
    api::{Api, Call},
    folder::Folder,
    program::{ONCE, Once, variables},
};

/// Runs a command that must succeed, and returns what it prints.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{message}");
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a command that must fail, and returns its message.
#[track_caller]
fn fail(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).expect("text")
}

fn once(command: &str) -> Command {
    let mut once = Command::new(ONCE);
    once.arg(command);
    once
}

fn product() -> Call {
    let body = json!({"name": "Mug", "price": 900, "stock": 5, "merchant_id": "merchant_001"});
    Call::post("/products", body)
}

#[tokio::test]
async fn a_copy_that_is_made_while_the_process_serves_has_its_data() {
    let folder = Folder::new();
    let serving = Once::start(&folder, []);
    let api = serving.api();
    api.answer(&product()).await.expect(201, &product());
    run(once("backup").arg(folder.path("copy")).arg("--data").arg(folder.path("data")));
    // What comes later is not in the copy.
    api.answer(&product()).await.expect(201, &product());
    let existing = fail(once("backup").arg(folder.path("copy")).args(["--data", "/nowhere"]));
    assert!(existing.contains("--data: /nowhere has no once.db"), "{existing}");
    serving.stop();

    let other = Folder::new();
    run(once("restore").arg(folder.path("copy")).arg("--data").arg(other.path("data")));
    let existing = fail(once("restore").arg(folder.path("copy")).arg("--data").arg(other.path("")));
    assert!(existing.contains("exists"), "{existing}");
    let restored = Once::start(&other, []);
    assert_eq!(restored.api().list("/products", "products").await.len(), 1);
    let keys = |env: &Path| variables(env)["ONCE_TOKEN"].clone();
    assert_eq!(keys(restored.env()), keys(&folder.path("data/env")), "clients keep their token");
    restored.stop();
}

#[tokio::test]
async fn a_process_in_the_background_is_started_once_and_stopped_once() {
    let folder = Folder::new();
    let data = folder.path("data");
    let start = || {
        let mut start = once("start");
        start.args(["--port", "0", "--data"]).arg(&data);
        start
    };
    let stop = || {
        let mut stop = once("stop");
        stop.arg("--data").arg(&data);
        stop
    };
    assert!(run(&mut stop()).starts_with("No process serves"));
    let started = run(&mut start());
    let url = started.lines().next().and_then(|line| line.strip_prefix("Once serves "));
    let api = Api::new(url.expect("its URL"), None);
    assert_eq!(api.get("/health").await["status"], "healthy");
    assert!(run(&mut start()).contains("already"));
    assert_eq!(run(&mut stop()), "Once has stopped\n");
    assert!(api.send(&Call::get("/health")).await.is_none());

    let refused = fail(start().args(["--parameter", "LogLevel=loud"]));
    assert!(refused.contains("LogLevel"), "{refused}");
}

#[tokio::test]
async fn the_state_of_a_stack_is_shown_and_its_dead_letters_go_back() {
    let folder = Folder::new();
    let serving = Once::start(&folder, []);
    let variables = variables(serving.env());
    let shown = run(once("status").envs(&variables));
    assert!(shown.contains("healthy, up ") && shown.contains("database: healthy"), "{shown}");
    assert!(!shown.contains("once_source_up"), "all sources are read: {shown}");
    let shown = run(once("status").arg("--json").envs(&variables));
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["health"]["status"], "healthy");
    assert_eq!(shown["gauges"][r#"once_dead_letters{queue="company"}"#], 0.0);

    let moved = run(once("redrive").arg("company").envs(&variables));
    assert_eq!(moved, "0 dead letters go back to their queues\n");
    let missing = fail(once("redrive").arg("company").env_remove("COMPANY_DEAD_LETTER_QUEUE_URL"));
    assert!(missing.contains("COMPANY_DEAD_LETTER_QUEUE_URL"), "{missing}");
    serving.stop();
}
