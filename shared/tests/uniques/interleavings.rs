//! Random interleavings of requests, ticks and faults: the published count is the number of
//! accepted ids, and no id is counted twice.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use once::{
    testing::{Cloud, Fault, Instance},
    uniques::AcceptOutcome,
};
use proptest::prelude::*;

use crate::uniques::fixtures::{accept, at, minute, new_instance, published_counts, recorded};

const INSTANCES: usize = 3;
const MINUTES: i64 = 3;
const IDS: i64 = 6;

/// Requests and ticks that run concurrently at one time.
#[derive(Debug, Clone)]
struct Moment {
    minute: i64,
    /// Seconds after the beginning of the minute.
    second: i64,
    /// Instance, id, and number of times that the caller retries a failed request.
    requests: Vec<(usize, i64, u32)>,
    /// Number of concurrent ticks.
    ticks: usize,
}

#[derive(Debug, Clone, Copy)]
struct RandomFaults {
    seed: u64,
    probability: f64,
    fault: Fault,
}

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let request = (0..INSTANCES, 0..IDS, 0..4_u32);
    let moment = (0..MINUTES, 0..60_i64, proptest::collection::vec(request, 0..8), 0..3_usize)
        .prop_map(|(minute, second, requests, ticks)| Moment { minute, second, requests, ticks });
    proptest::collection::vec(moment, 1..10).prop_map(|mut moments| {
        moments.sort_by_key(|moment| (moment.minute, moment.second));
        moments
    })
}

fn random_faults() -> impl Strategy<Value = RandomFaults> {
    let fault = prop_oneof![Just(Fault::LoseReply), Just(Fault::Refuse), Just(Fault::Throttle)];
    (any::<u64>(), prop_oneof![Just(0.0), Just(0.3), Just(0.7)], fault)
        .prop_map(|(seed, probability, fault)| RandomFaults { seed, probability, fault })
}

/// Number of answers to the requests of one id in one minute, by kind.
#[derive(Debug, Default)]
struct Answers {
    new: u32,
    duplicate: u32,
    failed: u32,
}

async fn play(moments: &[Moment], faults: &[RandomFaults]) {
    let cloud = Cloud::start().await;
    let instances: Vec<Instance> = (0..INSTANCES).map(|_| new_instance(&cloud)).collect();
    let closers: Vec<Instance> = (0..3).map(|_| new_instance(&cloud)).collect();
    instances[0].app.uniques().warm(at(0, 0)).await.expect("a store");
    for (instance, faults) in instances.iter().chain(&closers).zip(faults.iter().cycle()) {
        instance.transport.fail_randomly(faults.seed, faults.probability, faults.fault);
    }
    let mut answered: BTreeMap<(i64, i64), Answers> = BTreeMap::new();
    for Moment { minute, second, requests, ticks } in moments {
        let now = at(*minute, *second);
        let answers = requests.iter().map(|&(instance, id, retries)| {
            let instance = &instances[instance];
            async move {
                let mut answers = vec![accept(instance, id, now).await];
                for _ in 0..retries {
                    if answers.last().is_some_and(Result::is_err) {
                        answers.push(accept(instance, id, now).await);
                    }
                }
                (id, answers)
            }
        });
        let ticks = closers[..*ticks]
            .iter()
            .map(|closer| async { drop(closer.app.minute_closer().tick(now).await) });
        let (answers, _) = futures_util::future::join(join_all(answers), join_all(ticks)).await;
        for (id, answers) in answers {
            let counts = answered.entry((*minute, id)).or_default();
            for answer in answers {
                match answer {
                    Ok(AcceptOutcome::New) => counts.new += 1,
                    Ok(AcceptOutcome::Duplicate) => counts.duplicate += 1,
                    Err(_) => counts.failed += 1,
                }
            }
        }
    }
    let last = new_instance(&cloud);
    last.app.minute_closer().tick(at(MINUTES, 15)).await.expect("a tick");

    let recorded = recorded(&cloud).await;
    let published = published_counts(&last).await;
    for n in 0..MINUTES {
        let none = BTreeSet::new();
        let ids = recorded.get(&minute(n).to_string()).unwrap_or(&none);
        assert_eq!(published[&n], u64::try_from(ids.len()).expect("few"), "minute {n}");
        for id in 0..IDS {
            let Some(answers) = answered.get(&(n, id)) else {
                assert!(!ids.contains(&id), "{id} was never sent in minute {n}");
                continue;
            };
            assert!(answers.new <= 1, "id {id} of minute {n}: {answers:?}");
            // An id that was answered as new or as a duplicate is counted.
            assert!(
                ids.contains(&id) || answers.new + answers.duplicate == 0,
                "id {id} of minute {n}: {answers:?}"
            );
            // No request was answered as new only if every reply to one of them was lost.
            assert!(answers.new == 1 || answers.failed > 0, "id {id} of minute {n}: {answers:?}");
        }
    }
    let corrections = crate::uniques::fixtures::items(&cloud, "CORRECTION").await;
    assert!(corrections.is_empty(), "{corrections:?}");
    for (key, count) in cloud.services().stream_records() {
        let ids = recorded.get(&key).map_or(0, BTreeSet::len);
        assert_eq!(count.unique_ids, u64::try_from(ids).expect("few"), "on the stream, {key}");
    }
}

proptest! {
    // Every run draws new cases, each of up to 63 requests, 18 ticks and six faulty instances.
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_published_count_is_the_number_of_accepted_ids(
        moments in moments(),
        faults in proptest::collection::vec(random_faults(), 1..6),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().expect("a runtime");
        runtime.block_on(play(&moments, &faults));
    }
}
