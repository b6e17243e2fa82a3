//! A year goes by. What ticks fire is what the oracle says, whether they come each minute, or late, twice, or not for hours.

use std::{collections::BTreeSet, time::Duration};

use once::{
    schedule::{Occurrence, Plan, Schedule, plan},
    testing::Cloud,
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    clockwork::{job, local, put, receiver},
    oracle::{All, Case, Oracle},
};

const MINUTE: Duration = Duration::from_mins(1);

/// What ticks fire of a schedule: each at its moment, in any order and any number.
fn fired(
    schedule: &Schedule,
    oracle: &Oracle,
    ticks: impl Iterator<Item = Timestamp>,
) -> Vec<Timestamp> {
    let mut fired = Vec::new();
    let mut next = schedule.first_from(oracle.from);
    for now in ticks {
        // A tick finds the jobs that are due; what it fires is fired before the job is moved on.
        while let Some(due) = next.filter(|due| *due < once::schedule::horizon(now)) {
            let Plan { fire, next: after, .. } = plan(schedule, due, now);
            fired.extend(fire);
            next = after;
        }
    }
    fired.retain(|due| *due < oracle.to);
    fired
}

/// A schedule of the oracle with another policy.
fn begun(case: &Case, misfire: &str, from: Timestamp) -> Schedule {
    let mut schedule = case.schedule.clone();
    schedule["misfire"] = json!(misfire);
    serde_json::from_value::<Schedule>(schedule)
        .expect("a schedule")
        .begin(from)
        .expect("one that occurs")
}

/// Every minute of the oracle's year.
fn minutes(oracle: &Oracle) -> impl Iterator<Item = Timestamp> {
    let (from, to) = (oracle.from, oracle.to);
    std::iter::successors(Some(from), |now| Some(now.plus(MINUTE))).take_while(move |now| *now < to)
}

/// Moments at which ticks come that are late, doubled, and missing for up to ten hours.
fn troubled(oracle: &Oracle, seed: u64) -> Vec<Timestamp> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut ticks = Vec::new();
    let mut now = oracle.from;
    while now < oracle.to {
        let late = now.plus(Duration::from_millis(rng.u64(0..90_000)));
        ticks.extend(vec![late; [1, 1, 1, 2, 3][rng.usize(0..5)]]);
        now = now.plus(if rng.u32(0..200) == 0 {
            Duration::from_mins(rng.u64(0..600))
        } else {
            MINUTE
        });
    }
    ticks.extend([oracle.to, oracle.to.plus(MINUTE)]);
    ticks
}

#[test]
fn a_tick_each_minute_fires_what_the_oracle_says_whatever_the_policy() {
    let oracle = Oracle::read();
    for (case, misfire) in oracle.cases.iter().zip(["fire_once", "skip", "fire_all"].iter().cycle())
    {
        let fired = fired(&begun(case, misfire, oracle.from), &oracle, minutes(&oracle));
        assert_eq!(All::of(&fired), case.all, "{}", case.schedule);
    }
}

#[test]
fn with_fire_all_bad_ticks_fire_what_the_oracle_says() {
    let oracle = Oracle::read();
    let ticks = troubled(&oracle, 1);
    for case in &oracle.cases {
        let fired = fired(&begun(case, "fire_all", oracle.from), &oracle, ticks.iter().copied());
        assert_eq!(All::of(&fired), case.all, "{}", case.schedule);
    }
}

/// The policies in other words: occurrence by occurrence, by the first tick that has it before its horizon.
fn expected(
    schedule: &Schedule,
    misfire: &str,
    oracle: &Oracle,
    ticks: &[Timestamp],
) -> Vec<Timestamp> {
    let all: Vec<_> = schedule.all_from(oracle.from).take_while(|due| *due < oracle.to).collect();
    let sent =
        |due: Timestamp| ticks[ticks.partition_point(|tick| once::schedule::horizon(*tick) <= due)];
    let missed = |due: Timestamp| due < sent(due).minus(once::schedule::GRACE);
    let mut expected = Vec::new();
    for (place, &due) in all.iter().enumerate() {
        // Of all that the same tick finds missed, the last stands for them.
        let last = all.get(place + 1).is_none_or(|&next| sent(next) != sent(due) || !missed(next));
        if !missed(due) || (misfire == "fire_once" && last) {
            expected.push(due);
        }
    }
    expected
}

#[test]
fn with_the_other_policies_bad_ticks_fire_what_those_say() {
    let oracle = Oracle::read();
    let ticks = troubled(&oracle, 2);
    let (mut all, mut left) = (0, 0);
    for (case, misfire) in oracle.cases.iter().zip(["fire_once", "skip"].iter().cycle()) {
        let schedule = begun(case, misfire, oracle.from);
        let expected = expected(&schedule, misfire, &oracle, &ticks);
        assert_eq!(
            fired(&schedule, &oracle, ticks.iter().copied()),
            expected,
            "{misfire}: {}",
            case.schedule
        );
        all += case.all.count;
        left += case.all.count - expected.len();
    }
    assert!(left * 100 > all, "{left} of {all} were missed");
}

/// Jobs in the store: those that come at most twice a day.
const RARE: usize = 730;

#[tokio::test]
async fn a_year_in_the_store_sends_each_occurrence_once() {
    let oracle = Oracle::read();
    let cloud = Cloud::start().await;
    let receiver = receiver(&cloud).await;
    let instance = cloud.instance_with(local);
    let mut jobs = Vec::new();
    for case in oracle.cases.iter().filter(|case| case.all.count <= RARE).step_by(6) {
        let id = job(&instance, &receiver, oracle.from).await;
        let mut schedule: Value = case.schedule.clone();
        schedule["misfire"] = json!("fire_all");
        // A schedule that is set in the moment of an occurrence has that one behind it.
        put(&instance, id, schedule, oracle.from.minus(Duration::from_secs(1))).await;
        jobs.push((id, case));
    }
    // A tick every fourth day finds all that was missed; two come at once.
    let other = cloud.instance_with(local);
    let mut now = oracle.from;
    while now < oracle.to.plus(Duration::from_hours(96)) {
        let ticks = [&instance, &other].map(|instance| instance.app.schedules().tick(now));
        for ticked in futures_util::future::join_all(ticks).await {
            ticked.expect("a tick");
        }
        now = now.plus(Duration::from_hours(96));
    }
    let messages = cloud.services().take_messages();
    let sent = messages
        .iter()
        .map(|message| serde_json::from_str::<Occurrence>(message).expect("an occurrence"));
    let sent: Vec<_> = sent.collect();
    for (id, case) in jobs {
        let own =
            sent.iter().filter(|occurrence| occurrence.job == id && occurrence.due_at < oracle.to);
        let dues: BTreeSet<_> = own.clone().map(|occurrence| occurrence.due_at).collect();
        let names: BTreeSet<_> = own.map(|occurrence| occurrence.run).collect();
        assert_eq!(names.len(), dues.len());
        assert_eq!(All::of(&dues.into_iter().collect::<Vec<_>>()), case.all, "{}", case.schedule);
    }
}
