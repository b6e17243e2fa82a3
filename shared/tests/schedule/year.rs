//! A simulated year: ticks fire the occurrences of the oracle, whether they run each minute or run
//! late, twice, or not for hours.

use std::{collections::BTreeSet, time::Duration};

use once::{
    json,
    schedule::{DueOccurrences, GRACE, Occurrence, Schedule, due_occurrences, horizon},
    testing::Cloud,
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::schedule::{
    clockwork::{allow_private_receivers, create_job, receiver, set_schedule},
    oracle::{Case, Oracle, Summary},
};

const MINUTE: Duration = Duration::from_mins(1);

/// The occurrences in the year that ticks at the given moments fire.
fn fired(schedule: &Schedule, oracle: &Oracle, mut ticks: &[Timestamp]) -> Vec<Timestamp> {
    let mut fired = Vec::new();
    let mut next = schedule.first_from(oracle.from);
    while let Some(due) = next {
        // A tick before that does not read the job; one at which it is due fires its occurrences,
        // then advances it.
        ticks = &ticks[ticks.partition_point(|tick| horizon(*tick) <= due)..];
        let Some(&now) = ticks.first() else { break };
        let DueOccurrences { fire, next: after, .. } = due_occurrences(schedule, due, now);
        fired.extend(fire);
        next = after;
    }
    fired.retain(|due| *due < oracle.to);
    fired
}

/// The schedule of a case with another misfire policy.
fn schedule(case: &Case, misfire: &str, now: Timestamp) -> Schedule {
    let mut schedule = case.schedule.clone();
    schedule["misfire"] = json!(misfire);
    json::parse::<Schedule>(&schedule.to_string())
        .expect("a schedule")
        .begin(now)
        .expect("an occurrence")
}

/// Every minute of the oracle's year.
fn minutes(oracle: &Oracle) -> Vec<Timestamp> {
    std::iter::successors(Some(oracle.from), |now| Some(now.plus(MINUTE)))
        .take_while(|now| *now < oracle.to)
        .collect()
}

/// Moments of unreliable ticks: late, duplicated, or missing for up to ten hours.
fn unreliable(oracle: &Oracle, seed: u64) -> Vec<Timestamp> {
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
fn a_tick_each_minute_fires_every_occurrence_with_any_policy() {
    let oracle = Oracle::read();
    let minutes = minutes(&oracle);
    for (case, misfire) in oracle.cases.iter().zip(["fire_once", "skip", "fire_all"].iter().cycle())
    {
        let fired = fired(&schedule(case, misfire, oracle.from), &oracle, &minutes);
        assert_eq!(Summary::of(&fired), case.summary, "{}", case.schedule);
    }
}

#[test]
fn with_fire_all_unreliable_ticks_fire_every_occurrence() {
    let oracle = Oracle::read();
    let ticks = unreliable(&oracle, 1);
    for case in &oracle.cases {
        let fired = fired(&schedule(case, "fire_all", oracle.from), &oracle, &ticks);
        assert_eq!(Summary::of(&fired), case.summary, "{}", case.schedule);
    }
}

/// The policies in another form: each occurrence belongs to the first tick whose horizon is after
/// it.
fn expected(
    schedule: &Schedule,
    misfire: &str,
    oracle: &Oracle,
    ticks: &[Timestamp],
) -> Vec<Timestamp> {
    let all: Vec<_> = schedule.all_from(oracle.from).take_while(|due| *due < oracle.to).collect();
    let tick = |due: Timestamp| ticks[ticks.partition_point(|tick| horizon(*tick) <= due)];
    let missed = |due: Timestamp| due < tick(due).minus(GRACE);
    let mut expected = Vec::new();
    for (place, &due) in all.iter().enumerate() {
        // Of the missed occurrences that one tick finds, the last one fires for all.
        let last = all.get(place + 1).is_none_or(|&next| tick(next) != tick(due) || !missed(next));
        if !missed(due) || (misfire == "fire_once" && last) {
            expected.push(due);
        }
    }
    expected
}

#[test]
fn with_the_other_policies_unreliable_ticks_fire_what_the_policies_state() {
    let oracle = Oracle::read();
    let ticks = unreliable(&oracle, 2);
    let (mut total, mut missed) = (0, 0);
    for (case, misfire) in oracle.cases.iter().zip(["fire_once", "skip"].iter().cycle()) {
        let schedule = schedule(case, misfire, oracle.from);
        let expected = expected(&schedule, misfire, &oracle, &ticks);
        assert_eq!(fired(&schedule, &oracle, &ticks), expected, "{misfire}: {}", case.schedule);
        total += case.summary.count;
        missed += case.summary.count - expected.len();
    }
    assert!(missed * 100 > total, "{missed} of {total} were missed");
}

/// The maximum number of occurrences in the year of a job in the store: two a day.
const MAX_OCCURRENCES: usize = 730;

#[tokio::test]
async fn a_year_in_the_store_sends_each_occurrence_once() {
    let oracle = Oracle::read();
    let cloud = Cloud::start().await;
    let receiver = receiver(&cloud).await;
    let instance = cloud.instance_with(allow_private_receivers);
    let mut jobs = Vec::new();
    for case in oracle.cases.iter().filter(|case| case.summary.count <= MAX_OCCURRENCES).step_by(6)
    {
        let id = create_job(&instance, &receiver, oracle.from).await;
        let mut schedule: Value = case.schedule.clone();
        schedule["misfire"] = json!("fire_all");
        // A schedule that is set at the moment of an occurrence begins after it.
        set_schedule(&instance, id, schedule, oracle.from.minus(Duration::from_secs(1))).await;
        jobs.push((id, case));
    }
    // Two concurrent ticks every fourth day find all missed occurrences.
    let other = cloud.instance_with(allow_private_receivers);
    let mut now = oracle.from;
    while now < oracle.to.plus(Duration::from_hours(96)) {
        let ticks = [&instance, &other].map(|instance| instance.app.schedules().tick(now));
        for result in futures_util::future::join_all(ticks).await {
            result.expect("a tick");
        }
        now = now.plus(Duration::from_hours(96));
    }
    let messages = cloud.services().take_message_bodies();
    let sent = messages
        .iter()
        .map(|message| serde_json::from_str::<Occurrence>(message).expect("an occurrence"));
    let sent: Vec<_> = sent.collect();
    for (id, case) in jobs {
        let own =
            sent.iter().filter(|occurrence| occurrence.job == id && occurrence.due_at < oracle.to);
        let dues: BTreeSet<_> = own.clone().map(|occurrence| occurrence.due_at).collect();
        let runs: BTreeSet<_> = own.map(|occurrence| occurrence.run).collect();
        assert_eq!(runs.len(), dues.len());
        assert_eq!(
            Summary::of(&dues.into_iter().collect::<Vec<_>>()),
            case.summary,
            "{}",
            case.schedule
        );
    }
}
