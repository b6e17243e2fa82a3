//! The workers of a settlement, and what the queues do for them.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use functions::settlement;
use once::{
    App,
    settlement::{Content, Days, JobId, Message, State},
    sqs::Delivery,
    testing::{Cloud, Queued},
};
use tokio::task::JoinSet;

use super::now;

/// A settlement that is completed.
#[derive(Debug)]
pub struct Settled {
    /// Its file.
    pub csv: String,
    /// How long it took, from the request to the file.
    pub whole: Duration,
    /// How long it took until it was planned, until all of its batches were summed, and until it was finished.
    pub phases: [Duration; 3],
}

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Plan,
    Batch,
    Finish,
}

/// Settles these days, so many messages at a time, on all processors.
///
/// # Panics
/// If it is not completed.
pub async fn settle(cloud: &Cloud, days: Days, at_once: usize) -> Settled {
    let app = cloud.uncounted().app.at(now());
    let begun = Instant::now();
    let job = ask(&app, days).await;
    let (mut waiting, mut working) = (VecDeque::new(), JoinSet::new());
    let mut ended = [Duration::ZERO; 3];
    loop {
        // Every kind of work sends the next at its end.
        waiting.extend(cloud.services().take_queued());
        while working.len() < at_once
            && let Some(message) = waiting.pop_front()
        {
            working.spawn(work(app.clone(), message));
        }
        let Some(done) = working.join_next().await else { break };
        ended[done.expect("it is done") as usize] = begun.elapsed();
    }
    let [planned, summed, finished] = ended;
    let phases = [planned, summed.saturating_sub(planned), finished.saturating_sub(summed)];
    Settled { csv: csv(&app, job).await, whole: finished, phases }
}

/// Settles these days as one instance of each function does: so many messages at a time, and the next when all of them are done.
///
/// # Panics
/// If it is not completed.
pub async fn settle_alone(cloud: &Cloud, days: Days, at_once: usize) -> String {
    let app = cloud.uncounted().app.at(now());
    let job = ask(&app, days).await;
    let mut waiting = VecDeque::from(cloud.services().take_queued());
    while !waiting.is_empty() {
        let event =
            waiting.drain(..at_once.min(waiting.len())).map(|message| work(app.clone(), message));
        futures_util::future::join_all(event).await;
        waiting.extend(cloud.services().take_queued());
    }
    csv(&app, job).await
}

async fn ask(app: &App, days: Days) -> JobId {
    let days = days.check(app.now()).expect("days that can be settled");
    app.settlement().create(days, true, app.now()).await.expect("a job").job_id
}

async fn work(app: App, message: Queued) -> Work {
    let kind = match serde_json::from_str(&message.body).expect("a message") {
        Message::Plan { .. } => Work::Plan,
        Message::Batch { .. } => Work::Batch,
        Message::Finish { .. } => Work::Finish,
    };
    let delivery = Delivery { body: message.body, receipt: String::new(), attempt: 1 };
    let done = match kind {
        Work::Plan => settlement::plan::handle(app, delivery).await,
        Work::Batch => settlement::batch::handle(app, delivery).await,
        Work::Finish => settlement::finish::handle(app, delivery).await,
    };
    done.expect("the services answer");
    kind
}

async fn csv(app: &App, job: JobId) -> String {
    let job_status =
        app.settlement().job_status(job, app.now()).await.expect("a store").expect("the job");
    assert_eq!(job_status.status, State::Completed, "{job_status:?}");
    match app.settlement().download(job, |_| false).await.expect("a file").content {
        Content::Text(csv) => csv,
        other => panic!("a small file: {other:?}"),
    }
}
