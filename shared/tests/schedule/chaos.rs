//! All faults at once: ticks are late, duplicated, missing or concurrent; messages are delivered
//! twice and out of order; calls are throttled, replies are lost, processes crash at any call.
//! Every occurrence that should fire does, with one run each.

use std::{collections::BTreeSet, time::Duration};

use once::{
    json,
    schedule::{RunState, Schedule, ScheduledJobId},
    testing::{Fault, Instance},
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::schedule::clockwork::{World, allow_private_receivers, at, cron, every, history};

/// Faults and their probabilities.
const FAULTS: [(f64, Fault); 4] = [
    (0.03, Fault::Throttle),
    (0.03, Fault::LoseReply),
    (0.01, Fault::CrashBefore),
    (0.01, Fault::CrashAfter),
];

struct Chaos {
    world: World,
    rng: fastrand::Rng,
    /// An instance without faults.
    observer: Instance,
}

impl Chaos {
    async fn new(seed: u64, now: Timestamp) -> Self {
        let world = World::new(now).await;
        Self { observer: world.instance(), world, rng: fastrand::Rng::with_seed(seed) }
    }

    fn faulty_instance(&mut self) -> Instance {
        let instance = self.world.cloud.instance_with(allow_private_receivers);
        for (probability, fault) in FAULTS {
            instance.transport.fail_randomly(self.rng.u64(..), probability, fault);
        }
        instance
    }

    async fn tick(&mut self) {
        let now = self.world.now;
        let instance = self.faulty_instance();
        tokio::select! {
            biased;
            () = instance.transport.crashed() => {}
            _ = instance.app.schedules().tick(now) => {}
        }
        self.world.collect_messages();
    }

    /// Lets a minute pass, with no to three ticks at a random moment of it.
    async fn minute(&mut self) {
        let end = self.world.now.plus(Duration::from_mins(1));
        let late = self.rng.u64(0..60);
        self.deliver(self.world.now.plus(Duration::from_secs(late))).await;
        for _ in 0..[1, 1, 1, 2, 3, 0][self.rng.usize(0..6)] {
            self.tick().await;
        }
        if self.rng.u32(0..4) == 0 {
            self.world.duplicate_messages();
        }
        self.deliver(end).await;
    }

    async fn deliver(&mut self, end: Timestamp) {
        let mut instance = self.faulty_instance();
        while let Some(message) = self.world.next_message(end) {
            let now = self.world.now;
            let is_consumed = tokio::select! {
                biased;
                () = instance.transport.crashed() => None,
                outcome = message.deliver_to(&instance, now) => Some(outcome.is_ok()),
            };
            self.world.acknowledge(message, is_consumed == Some(true));
            if is_consumed.is_none() {
                instance = self.faulty_instance();
            }
        }
        self.world.now = self.world.now.max(end);
    }

    /// Lets twelve minutes pass without faults.
    async fn recover(&mut self) {
        let observer = self.observer.clone();
        self.world.run_minutes(&observer, 12).await;
    }

    /// Asserts that exactly these occurrences of a job fired, that each run completed, and that the
    /// receiver has the id of each.
    async fn assert_fired(&self, id: ScheduledJobId, expected: &BTreeSet<Timestamp>, seed: u64) {
        let runs = history(&self.observer, id, self.world.now).await;
        let fired: Vec<_> = runs.iter().filter(|run| run.state != RunState::Skipped).collect();
        let due: Vec<_> = fired.iter().map(|run| run.due_at).collect();
        assert_eq!(due, expected.iter().copied().collect::<Vec<_>>(), "seed {seed}");
        let received = self.world.receiver.counts();
        for run in fired {
            assert_eq!(run.state, RunState::Completed, "seed {seed}: {run:?}");
            assert!(run.started_at.is_some_and(|at| at >= run.due_at), "seed {seed}: {run:?}");
            assert!(received.contains_key(&run.run_id.to_string()), "seed {seed}: {run:?}");
        }
    }
}

/// The occurrences of a schedule that is set at `from`, before `until`.
fn occurrences(schedule: &Value, from: Timestamp, until: Timestamp) -> BTreeSet<Timestamp> {
    let schedule: Schedule = json::parse(&schedule.to_string()).expect("a schedule");
    let schedule = schedule.begin(from).expect("an occurrence");
    let mut at = schedule.next(from, 1).pop();
    std::iter::from_fn(|| {
        let due = at.filter(|due| *due < until)?;
        at = schedule.next(due, 1).pop();
        Some(due)
    })
    .collect()
}

#[tokio::test]
async fn with_fire_all_every_occurrence_fires_once() {
    let fire_all = || json!({"misfire": "fire_all"});
    // Both nights in which Berlin changes its clock, and one in which Lord Howe does, by half an
    // hour.
    for (seed, begin) in (0..4).zip(
        ["2026-03-28T23:30:00Z", "2026-10-25T00:10:00Z", "2026-10-03T14:40:00Z"].iter().cycle(),
    ) {
        let begin: Timestamp = begin.parse().expect("a time");
        let mut chaos = Chaos::new(seed, begin).await;
        let schedules = [
            every(45, fire_all()),
            every(61, fire_all()),
            cron("*/2 * * * *", "UTC", fire_all()),
            cron("*/15 * * * *", "Europe/Berlin", fire_all()),
            cron("5,30,55 2 * * *", "Europe/Berlin", fire_all()),
            cron(
                "*/10 1-2 * * *",
                "Australia/Lord_Howe",
                json!({"misfire": "fire_all", "dst": {"overlap": "both"}}),
            ),
        ];
        let mut jobs = Vec::new();
        for schedule in schedules {
            jobs.push((
                chaos.world.schedule_job(&chaos.observer.clone(), schedule.clone()).await,
                schedule,
            ));
        }
        for minute in 0..80 {
            if minute == 30 {
                // An outage of ticks of an hour.
                chaos.deliver(chaos.world.now.plus(Duration::from_hours(1))).await;
            }
            chaos.minute().await;
        }
        chaos.recover().await;
        let until = once::schedule::horizon(chaos.world.now.minus(Duration::from_mins(1)));
        let observer = chaos.observer.clone();
        chaos.world.run_until(until, &observer).await;
        for (id, schedule) in jobs {
            let expected = occurrences(&schedule, begin, until);
            chaos.assert_fired(id, &expected, seed).await;
        }
    }
}

#[tokio::test]
async fn with_the_other_policies_every_occurrence_fires_or_is_reported_as_missed() {
    for (seed, misfire) in (0..6).zip(["fire_once", "skip"].into_iter().cycle()) {
        let mut chaos = Chaos::new(seed, at(0)).await;
        let schedule = every(40, json!({"misfire": misfire, "overlap": "allow"}));
        let id = chaos.world.schedule_job(&chaos.observer.clone(), schedule.clone()).await;
        for minute in 0..60 {
            if minute == 20 {
                chaos.deliver(chaos.world.now.plus(Duration::from_hours(2))).await;
            }
            chaos.minute().await;
        }
        chaos.recover().await;
        let all = occurrences(&schedule, at(0), once::schedule::horizon(chaos.world.now));
        let runs = history(&chaos.observer, id, chaos.world.now).await;
        let mut reported: BTreeSet<Timestamp> = runs.iter().map(|run| run.due_at).collect();
        for run in runs.iter().filter(|run| run.missed_since.is_some()) {
            let since = run.missed_since.expect("missed_since");
            reported.extend(all.range(since..=run.due_at));
            assert_eq!(run.state == RunState::Skipped, misfire == "skip", "seed {seed}: {run:?}");
        }
        let until = chaos.world.now;
        let missing: Vec<_> = all.range(..until).filter(|due| !reported.contains(due)).collect();
        assert!(missing.is_empty(), "seed {seed}: {missing:?}");
        assert!(reported.is_subset(&all), "seed {seed}");
        assert!(runs.iter().any(|run| run.missed_since.is_some()), "seed {seed}: an outage");
        assert_eq!(
            runs.iter().map(|run| run.due_at).collect::<BTreeSet<_>>().len(),
            runs.len(),
            "seed {seed}"
        );
        let fired = runs.iter().filter(|run| run.state == RunState::Completed).count();
        assert_eq!(chaos.world.receiver.counts().len(), fired, "seed {seed}");
    }
}
