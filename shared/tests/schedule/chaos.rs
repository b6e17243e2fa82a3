//! Everything at once: ticks are late, doubled, missing, or two at a time; messages come twice and out of order; calls are throttled, replies are lost,
//! processes die at any call. What should fire fires, under one name each.

use std::{collections::BTreeSet, time::Duration};

use once::{
    schedule::{RunState, Schedule, ScheduledJobId},
    testing::{Fault, Instance},
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::clockwork::{World, at, cron, every, history, local};

/// What goes wrong, and how often.
const TROUBLE: [(f64, Fault); 4] = [
    (0.03, Fault::Throttle),
    (0.03, Fault::LoseReply),
    (0.01, Fault::DieBefore),
    (0.01, Fault::DieAfter),
];

struct Chaos {
    world: World,
    rng: fastrand::Rng,
    /// What is not broken looks at what came of it.
    observer: Instance,
}

impl Chaos {
    async fn new(seed: u64, now: Timestamp) -> Self {
        let world = World::new(now).await;
        Self { observer: world.instance(), world, rng: fastrand::Rng::with_seed(seed) }
    }

    fn troubled(&mut self) -> Instance {
        let instance = self.world.cloud.instance_with(local);
        for (probability, fault) in TROUBLE {
            instance.transport.fail_randomly(self.rng.u64(..), probability, fault);
        }
        instance
    }

    async fn tick(&mut self) {
        let now = self.world.now;
        let instance = self.troubled();
        tokio::select! {
            biased;
            () = instance.transport.death() => {}
            _ = instance.app.schedules().tick(now) => {}
        }
        self.world.collect();
    }

    /// A minute, at some moment of which there is a tick, or two, or three, or none.
    async fn minute(&mut self) {
        let end = self.world.now.plus(Duration::from_mins(1));
        let late = self.rng.u64(0..60);
        self.deliver(self.world.now.plus(Duration::from_secs(late))).await;
        for _ in 0..[1, 1, 1, 2, 3, 0][self.rng.usize(0..6)] {
            self.tick().await;
        }
        if self.rng.u32(0..4) == 0 {
            self.world.double();
        }
        self.deliver(end).await;
    }

    async fn deliver(&mut self, end: Timestamp) {
        let mut instance = self.troubled();
        while let Some(delivered) = self.world.next(end) {
            let now = self.world.now;
            let done = tokio::select! {
                biased;
                () = instance.transport.death() => None,
                done = delivered.to(&instance, now) => Some(done.is_ok()),
            };
            self.world.done(delivered, done == Some(true));
            if done.is_none() {
                instance = self.troubled();
            }
        }
        self.world.now = self.world.now.max(end);
    }

    /// Everything is well again, and what is left is done.
    async fn heal(&mut self) {
        let observer = self.observer.clone();
        self.world.minutes(&observer, 12).await;
    }

    /// The runs of a job that fired are these, each was done, and the receiver has seen each under its name and no other.
    async fn assert_fired(&self, id: ScheduledJobId, expected: &BTreeSet<Timestamp>, seed: u64) {
        let runs = history(&self.observer, id, self.world.now).await;
        let fired: Vec<_> = runs.iter().filter(|run| run.state != RunState::Skipped).collect();
        let dues: Vec<_> = fired.iter().map(|run| run.due_at).collect();
        assert_eq!(dues, expected.iter().copied().collect::<Vec<_>>(), "seed {seed}");
        let taken = self.world.receiver.counts();
        for run in fired {
            assert_eq!(run.state, RunState::Completed, "seed {seed}: {run:?}");
            assert!(run.started_at.is_some_and(|at| at >= run.due_at), "seed {seed}: {run:?}");
            assert!(taken.contains_key(&run.run_id.to_string()), "seed {seed}: {run:?}");
        }
    }
}

/// The occurrences of a schedule from a moment to another.
fn occurrences(schedule: &Value, from: Timestamp, until: Timestamp) -> BTreeSet<Timestamp> {
    let schedule: Schedule = serde_json::from_value(schedule.clone()).expect("fit");
    let schedule = schedule.begin(from).expect("it comes");
    let mut at = schedule.next(from, 1).pop();
    std::iter::from_fn(|| {
        let due = at.filter(|due| *due < until)?;
        at = schedule.next(due, 1).pop();
        Some(due)
    })
    .collect()
}

#[tokio::test]
async fn with_fire_all_nothing_is_missing_and_nothing_doubled() {
    let others = || json!({"misfire": "fire_all"});
    // Both nights on which Berlin, and Lord Howe by half an hour, change their clocks; and noon.
    for (seed, begin) in (0..4).zip(
        ["2026-03-28T23:30:00Z", "2026-10-25T00:10:00Z", "2026-10-03T14:40:00Z"].iter().cycle(),
    ) {
        let begin: Timestamp = begin.parse().expect("a time");
        let mut chaos = Chaos::new(seed, begin).await;
        let schedules = [
            every(45, others()),
            every(61, others()),
            cron("*/2 * * * *", "UTC", others()),
            cron("*/15 * * * *", "Europe/Berlin", others()),
            cron("5,30,55 2 * * *", "Europe/Berlin", others()),
            cron(
                "*/10 1-2 * * *",
                "Australia/Lord_Howe",
                json!({"misfire": "fire_all", "dst": {"overlap": "both"}}),
            ),
        ];
        let mut jobs = Vec::new();
        for schedule in schedules {
            jobs.push((
                chaos.world.scheduled(&chaos.observer.clone(), schedule.clone()).await,
                schedule,
            ));
        }
        for minute in 0..80 {
            if minute == 30 {
                // Nobody is there for an hour.
                chaos.deliver(chaos.world.now.plus(Duration::from_hours(1))).await;
            }
            chaos.minute().await;
        }
        chaos.heal().await;
        let until = once::schedule::horizon(chaos.world.now.minus(Duration::from_mins(1)));
        let observer = chaos.observer.clone();
        chaos.world.until(until, &observer).await;
        for (id, schedule) in jobs {
            let expected = occurrences(&schedule, begin, until);
            chaos.assert_fired(id, &expected, seed).await;
        }
    }
}

#[tokio::test]
async fn with_the_other_policies_what_fires_is_an_occurrence_and_what_was_missed_is_told() {
    for (seed, misfire) in (0..6).zip(["fire_once", "skip"].into_iter().cycle()) {
        let mut chaos = Chaos::new(seed, at(0)).await;
        let schedule = every(40, json!({"misfire": misfire, "overlap": "allow"}));
        let id = chaos.world.scheduled(&chaos.observer.clone(), schedule.clone()).await;
        for minute in 0..60 {
            if minute == 20 {
                chaos.deliver(chaos.world.now.plus(Duration::from_hours(2))).await;
            }
            chaos.minute().await;
        }
        chaos.heal().await;
        let all = occurrences(&schedule, at(0), once::schedule::horizon(chaos.world.now));
        let runs = history(&chaos.observer, id, chaos.world.now).await;
        let mut told: BTreeSet<Timestamp> = runs.iter().map(|run| run.due_at).collect();
        for run in runs.iter().filter(|run| run.missed_since.is_some()) {
            let since = run.missed_since.expect("told");
            told.extend(all.range(since..=run.due_at));
            assert_eq!(run.state == RunState::Skipped, misfire == "skip", "seed {seed}: {run:?}");
        }
        let until = chaos.world.now;
        let missing: Vec<_> = all.range(..until).filter(|due| !told.contains(due)).collect();
        assert!(missing.is_empty(), "seed {seed}: {missing:?}");
        assert!(told.is_subset(&all), "seed {seed}");
        assert!(
            runs.iter().any(|run| run.missed_since.is_some()),
            "seed {seed}: there was an outage"
        );
        assert_eq!(
            runs.iter().map(|run| run.due_at).collect::<BTreeSet<_>>().len(),
            runs.len(),
            "seed {seed}"
        );
        let fired = runs.iter().filter(|run| run.state == RunState::Completed).count();
        assert_eq!(chaos.world.receiver.counts().len(), fired, "seed {seed}");
    }
}
