//! Runs the workers of a settlement with the messages that they send.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use functions::settlement;
use once::{
    App,
    settlement::{Content, Days, JobId, Message, State},
    sqs::Delivery,
    testing::{Cloud, QueuedMessage},
};
use tokio::task::JoinSet;

use super::now;

/// A completed settlement.
#[derive(Debug)]
pub struct SettlementRun {
    /// Its CSV file.
    pub csv: String,
    /// Time from the request to the file.
    pub duration: Duration,
    /// Durations of the planning, of the batches and of the finish.
    pub phases: [Duration; 3],
}

/// Phase of a settlement that a message belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Plan,
    Batch,
    Finish,
}

/// Settles these days with at most `at_once` concurrent messages, on all processors.
///
/// # Panics
/// If the settlement does not complete.
pub async fn settle(cloud: &Cloud, days: Days, at_once: usize) -> SettlementRun {
    let app = cloud.uncounted_instance().app.at(now());
    let start = Instant::now();
    let job = create_job(&app, days).await;
    let (mut queue, mut in_flight) = (VecDeque::new(), JoinSet::new());
    let mut ended = [Duration::ZERO; 3];
    loop {
        // Each phase sends the messages of the next.
        queue.extend(cloud.services().take_queued());
        while in_flight.len() < at_once
            && let Some(message) = queue.pop_front()
        {
            in_flight.spawn(process(app.clone(), message));
        }
        let Some(phase) = in_flight.join_next().await else { break };
        ended[phase.expect("no panic") as usize] = start.elapsed();
    }
    let [planned, summed, finished] = ended;
    let phases = [planned, summed.saturating_sub(planned), finished.saturating_sub(summed)];
    SettlementRun { csv: csv(&app, job).await, duration: finished, phases }
}

/// Settles these days as one instance of each function does: at most `at_once` messages per event,
/// and the next event when all of them are processed.
///
/// # Panics
/// If the settlement does not complete.
pub async fn settle_as_one_instance(cloud: &Cloud, days: Days, at_once: usize) -> String {
    let app = cloud.uncounted_instance().app.at(now());
    let job = create_job(&app, days).await;
    let mut queue = VecDeque::from(cloud.services().take_queued());
    while !queue.is_empty() {
        let event =
            queue.drain(..at_once.min(queue.len())).map(|message| process(app.clone(), message));
        futures_util::future::join_all(event).await;
        queue.extend(cloud.services().take_queued());
    }
    csv(&app, job).await
}

async fn create_job(app: &App, days: Days) -> JobId {
    let days = days.check(app.now()).expect("days that can be settled");
    app.settlement().create(days, true, app.now()).await.expect("a job").job_id
}

async fn process(app: App, message: QueuedMessage) -> Phase {
    let phase = match serde_json::from_str(&message.body).expect("a message") {
        Message::Plan { .. } => Phase::Plan,
        Message::Batch { .. } => Phase::Batch,
        Message::Finish { .. } => Phase::Finish,
    };
    let delivery = Delivery { body: message.body, receipt: String::new(), attempt: 1 };
    let result = match phase {
        Phase::Plan => settlement::plan::handle(app, delivery).await,
        Phase::Batch => settlement::batch::handle(app, delivery).await,
        Phase::Finish => settlement::finish::handle(app, delivery).await,
    };
    result.expect("the services answer");
    phase
}

async fn csv(app: &App, job: JobId) -> String {
    let job_status = app
        .settlement()
        .job_status(job, app.now())
        .await
        .expect("the store answers")
        .expect("the job exists");
    assert_eq!(job_status.status, State::Completed, "{job_status:?}");
    match app.settlement().download(job, |_| false).await.expect("a file").content {
        Content::Text(csv) => csv,
        other => panic!("not a small file: {other:?}"),
    }
}
