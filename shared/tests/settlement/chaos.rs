//! Everything at once: messages come twice and in any order, calls are throttled, replies are lost, workers die. The file is the same.

use std::time::Duration;

use futures_util::future::join_all;
use once::{
    settlement::{Accepted, JobStatus, State},
    testing::{Cloud, Fault, Instance, Queued},
    time::Timestamp,
};

use crate::ledger::{
    begin, deliver, downloaded, file, noon, payments, record, reports, stands, worker,
};

/// What goes wrong, and how often.
const TROUBLE: [(f64, Fault); 4] = [
    (0.05, Fault::Throttle),
    (0.05, Fault::LoseReply),
    (0.01, Fault::DieBefore),
    (0.01, Fault::DieAfter),
];

/// A job in a bad world.
struct World {
    cloud: Cloud,
    rng: fastrand::Rng,
    now: Timestamp,
    /// Messages that were not taken yet, and how often they were tried.
    waiting: Vec<(Queued, u32)>,
}

impl World {
    async fn new(seed: u64, count: u64) -> Self {
        let cloud = Cloud::start().await;
        record(&cloud, &payments(count)).await;
        Self { cloud, rng: fastrand::Rng::with_seed(seed), now: noon(), waiting: Vec::new() }
    }

    fn troubled(&mut self) -> Instance {
        let instance = worker(&self.cloud);
        for (probability, fault) in TROUBLE {
            instance.transport.fail_randomly(self.rng.u64(..), probability, fault);
        }
        instance
    }

    /// Delivers some messages at the same time, in any order, and looks for what is quiet.
    async fn turn(&mut self) {
        let sent = self.cloud.services().take_queued();
        self.waiting
            .extend(sent.into_iter().flat_map(|message| [(message.clone(), 1), (message, 1)]));
        self.rng.shuffle(&mut self.waiting);
        let at_once = self.rng.usize(1..8).min(self.waiting.len());
        let taken: Vec<_> = self.waiting.drain(..at_once).collect();
        let workers: Vec<_> = taken.iter().map(|_| self.troubled()).collect();
        let now = self.now;
        let done =
            join_all(taken.iter().zip(&workers).map(async |((message, attempt), instance)| {
                tokio::select! {
                    biased;
                    () = instance.transport.death() => false,
                    done = deliver(instance, message, *attempt, now) => done.is_ok(),
                }
            }));
        let failed = done.await.into_iter().zip(taken).filter(|(done, _)| !done);
        self.waiting.extend(failed.map(|(_, (message, attempt))| (message, attempt + 1)));
        // Time passes faster where there is nothing to do.
        self.now = self.now.plus(if self.waiting.is_empty() {
            Duration::from_mins(1)
        } else {
            Duration::from_secs(5)
        });
        let instance = self.troubled();
        tokio::select! {
            biased;
            () = instance.transport.death() => {}
            _ = instance.app.settlement().resend_stalled(self.now) => {}
        }
    }
}

/// A job never goes back: not in its state, not in its progress.
fn assert_forward(before: &JobStatus, after: &JobStatus) {
    let rank = |state| {
        [State::Queued, State::Running, State::Finishing, State::Completed]
            .iter()
            .position(|s| *s == state)
    };
    assert!(rank(before.status) <= rank(after.status), "{before:?} {after:?}");
    assert!(
        before.processed <= after.processed && before.progress <= after.progress,
        "{before:?} {after:?}"
    );
    assert!(after.progress <= 100.0 && after.processed <= after.total.unwrap_or(0), "{after:?}");
    assert!(before.total.is_none() || before.total == after.total, "{before:?} {after:?}");
}

async fn play(seed: u64, count: u64) -> (World, Accepted) {
    let mut world = World::new(seed, count).await;
    let observer = worker(&world.cloud);
    let job = begin(&observer, noon()).await;
    let mut last = stands(&observer, job, noon()).await;
    for _ in 0..5_000 {
        world.turn().await;
        let job_status = stands(&observer, job, world.now).await;
        assert_forward(&last, &job_status);
        last = job_status;
        if last.status.is_over()
            && world.waiting.is_empty()
            && world.cloud.services().take_queued().is_empty()
        {
            return (world, job);
        }
    }
    panic!("seed {seed}: {last:?}, {} messages", world.waiting.len());
}

#[tokio::test]
async fn the_file_is_the_same_whatever_goes_wrong() {
    let count = 100;
    let whole = file(&payments(count));
    for seed in 0..10 {
        let (world, job) = play(seed, count).await;
        let instance = worker(&world.cloud);
        let job_status = stands(&instance, job, world.now).await;
        assert_eq!(
            (job_status.status, job_status.processed),
            (State::Completed, count),
            "seed {seed}: {:?}",
            job_status.error
        );
        assert_eq!(downloaded(&instance, job).await, whole, "seed {seed}");
        assert_eq!(reports(&world.cloud).len(), 1, "seed {seed}");
    }
}

#[tokio::test]
async fn two_plans_at_once_make_one_job() {
    for seed in 0..40 {
        let cloud = Cloud::start().await;
        let entries = payments(60);
        record(&cloud, &entries).await;
        let job = begin(&worker(&cloud), noon()).await;
        let [plan] = cloud.services().take_queued().try_into().expect("one message");
        // The first holds the work no longer: for the second its lease has lapsed. And they cut batches of other sizes.
        let planners =
            [(7, noon()), (5, noon().plus(Duration::from_mins(2)))].map(|(size, now)| {
                let instance = cloud.instance_with(|config| config.settlement.batch_size = size);
                instance.transport.fail_randomly(
                    seed * 2 + u64::from(size),
                    0.5,
                    Fault::Delay(Duration::from_millis(2)),
                );
                (instance, now)
            });
        let plan = &plan;
        join_all(planners.iter().map(async |(instance, now)| {
            deliver(instance, plan, 1, *now).await.expect("made or left");
        }))
        .await;
        crate::ledger::deliver_all(&cloud, &planners[0].0, noon().plus(Duration::from_mins(3)))
            .await;
        let job_status = stands(&planners[0].0, job, noon()).await;
        assert_eq!(
            (job_status.status, job_status.total),
            (State::Completed, Some(60)),
            "{:?}",
            job_status.error
        );
        assert_eq!(downloaded(&planners[0].0, job).await, file(&entries));
    }
}
