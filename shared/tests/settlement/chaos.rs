//! All faults at once: messages are duplicated and reordered, calls are throttled, replies are
//! lost, and workers die. The file is the same.

use std::time::Duration;

use futures_util::future::join_all;
use once::{
    settlement::{AcceptedJob, JobStatus, State},
    testing::{Cloud, Fault, Instance, QueuedMessage},
    time::Timestamp,
};

use crate::settlement::fixtures::{
    create, deliver, download, expected_file, noon, payments, record, reports, status_of, worker,
};

/// Faults and their probabilities.
const FAULTS: [(f64, Fault); 4] = [
    (0.05, Fault::Throttle),
    (0.05, Fault::LoseReply),
    (0.01, Fault::CrashBefore),
    (0.01, Fault::CrashAfter),
];

/// A simulated deployment with faults.
struct World {
    cloud: Cloud,
    rng: fastrand::Rng,
    now: Timestamp,
    /// Undelivered messages, and the number of their next attempt.
    undelivered: Vec<(QueuedMessage, u32)>,
}

impl World {
    async fn new(seed: u64, count: u64) -> Self {
        let cloud = Cloud::start().await;
        record(&cloud, &payments(count)).await;
        Self { cloud, rng: fastrand::Rng::with_seed(seed), now: noon(), undelivered: Vec::new() }
    }

    fn faulty_worker(&mut self) -> Instance {
        let instance = worker(&self.cloud);
        for (probability, fault) in FAULTS {
            instance.transport.fail_randomly(self.rng.u64(..), probability, fault);
        }
        instance
    }

    /// Delivers some messages concurrently, in random order, and resends stalled work.
    async fn step(&mut self) {
        let sent = self.cloud.services().take_queued();
        self.undelivered
            .extend(sent.into_iter().flat_map(|message| [(message.clone(), 1), (message, 1)]));
        self.rng.shuffle(&mut self.undelivered);
        let concurrency = self.rng.usize(1..8).min(self.undelivered.len());
        let deliveries: Vec<_> = self.undelivered.drain(..concurrency).collect();
        let workers: Vec<_> = deliveries.iter().map(|_| self.faulty_worker()).collect();
        let now = self.now;
        let done = join_all(deliveries.iter().zip(&workers).map(
            async |((message, attempt), instance)| {
                tokio::select! {
                    biased;
                    () = instance.transport.crashed() => false,
                    done = deliver(instance, message, *attempt, now) => done.is_ok(),
                }
            },
        ));
        let failed = done.await.into_iter().zip(deliveries).filter(|(done, _)| !done);
        self.undelivered.extend(failed.map(|(_, (message, attempt))| (message, attempt + 1)));
        // Time passes faster while there is nothing to do.
        self.now = self.now.plus(if self.undelivered.is_empty() {
            Duration::from_mins(1)
        } else {
            Duration::from_secs(5)
        });
        let instance = self.faulty_worker();
        tokio::select! {
            biased;
            () = instance.transport.crashed() => {}
            _ = instance.app.settlement().resend_stalled(self.now) => {}
        }
    }
}

/// Asserts that neither the state nor the progress has moved backward.
fn assert_no_regression(before: &JobStatus, after: &JobStatus) {
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

/// Runs a settlement until it has ended and no message is left.
async fn run(seed: u64, count: u64) -> (World, AcceptedJob) {
    let mut world = World::new(seed, count).await;
    let observer = worker(&world.cloud);
    let job = create(&observer, noon()).await;
    let mut last = status_of(&observer, job, noon()).await;
    for _ in 0..5_000 {
        world.step().await;
        let job_status = status_of(&observer, job, world.now).await;
        assert_no_regression(&last, &job_status);
        last = job_status;
        if last.status.has_ended()
            && world.undelivered.is_empty()
            && world.cloud.services().take_queued().is_empty()
        {
            return (world, job);
        }
    }
    panic!("seed {seed}: {last:?}, {} messages", world.undelivered.len());
}

#[tokio::test]
async fn the_file_is_the_same_under_all_faults() {
    let count = 100;
    let expected = expected_file(&payments(count));
    for seed in 0..10 {
        let (world, job) = run(seed, count).await;
        let instance = worker(&world.cloud);
        let job_status = status_of(&instance, job, world.now).await;
        assert_eq!(
            (job_status.status, job_status.processed),
            (State::Completed, count),
            "seed {seed}: {:?}",
            job_status.error
        );
        assert_eq!(download(&instance, job).await, expected, "seed {seed}");
        assert_eq!(reports(&world.cloud).len(), 1, "seed {seed}");
    }
}

#[tokio::test]
async fn of_two_concurrent_plans_one_takes_effect() {
    for seed in 0..40 {
        let cloud = Cloud::start().await;
        let entries = payments(60);
        record(&cloud, &entries).await;
        let job = create(&worker(&cloud), noon()).await;
        let [plan] = cloud.services().take_queued().try_into().expect("one message");
        // To the second worker the first one's lease has expired; their batch sizes differ.
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
            deliver(instance, plan, 1, *now).await.expect("planned or skipped");
        }))
        .await;
        crate::settlement::fixtures::deliver_all(
            &cloud,
            &planners[0].0,
            noon().plus(Duration::from_mins(3)),
        )
        .await;
        let job_status = status_of(&planners[0].0, job, noon()).await;
        assert_eq!(
            (job_status.status, job_status.total),
            (State::Completed, Some(60)),
            "{:?}",
            job_status.error
        );
        assert_eq!(download(&planners[0].0, job).await, expected_file(&entries));
    }
}
