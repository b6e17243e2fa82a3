//! Whatever comes in whatever order, with whatever faults: the published count is the number of ids, and no id is counted twice.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use once::{
    testing::{Cloud, Fault, Instance},
    uniques::AcceptOutcome,
};
use proptest::prelude::*;

use crate::counted::{accept, at, minute, new_instance, numbers, recorded};

const INSTANCES: usize = 3;
const MINUTES: i64 = 3;
const IDS: i64 = 6;

/// What happens at one moment, all of it at the same time.
#[derive(Debug, Clone)]
struct Moment {
    /// In which minute, and how many seconds after its beginning.
    minute: i64,
    second: i64,
    /// Instance, id, and how often the caller sends the request again if it fails.
    requests: Vec<(usize, i64, u32)>,
    /// How many ticks come.
    ticks: usize,
}

#[derive(Debug, Clone, Copy)]
struct Trouble {
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

fn trouble() -> impl Strategy<Value = Trouble> {
    let fault = prop_oneof![Just(Fault::LoseReply), Just(Fault::Refuse), Just(Fault::Throttle)];
    (any::<u64>(), prop_oneof![Just(0.0), Just(0.3), Just(0.7)], fault)
        .prop_map(|(seed, probability, fault)| Trouble { seed, probability, fault })
}

/// What callers were told of an id in a minute.
#[derive(Debug, Default)]
struct Told {
    ok: u32,
    duplicate: u32,
    failed: u32,
}

async fn play(moments: &[Moment], troubles: &[Trouble]) {
    let cloud = Cloud::start().await;
    let instances: Vec<Instance> = (0..INSTANCES).map(|_| new_instance(&cloud)).collect();
    let closers: Vec<Instance> = (0..3).map(|_| new_instance(&cloud)).collect();
    instances[0].app.uniques().warm(at(0, 0)).await.expect("a store");
    for (instance, trouble) in instances.iter().chain(&closers).zip(troubles.iter().cycle()) {
        instance.transport.fail_randomly(trouble.seed, trouble.probability, trouble.fault);
    }
    let mut told: BTreeMap<(i64, i64), Told> = BTreeMap::new();
    for Moment { minute, second, requests, ticks } in moments {
        let now = at(*minute, *second);
        let answers = requests.iter().map(|&(instance, id, again)| {
            let instance = &instances[instance];
            async move {
                let mut answers = vec![accept(instance, id, now).await];
                for _ in 0..again {
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
            let told = told.entry((*minute, id)).or_default();
            for answer in answers {
                match answer {
                    Ok(AcceptOutcome::New) => told.ok += 1,
                    Ok(AcceptOutcome::Duplicate) => told.duplicate += 1,
                    Err(_) => told.failed += 1,
                }
            }
        }
    }
    let last = new_instance(&cloud);
    last.app.minute_closer().tick(at(MINUTES, 15)).await.expect("a tick");

    let recorded = recorded(&cloud).await;
    let published = numbers(&last).await;
    for of in 0..MINUTES {
        let none = BTreeSet::new();
        let ids = recorded.get(&minute(of).to_string()).unwrap_or(&none);
        assert_eq!(published[&of], u64::try_from(ids.len()).expect("few"), "minute {of}");
        for id in 0..IDS {
            let Some(told) = told.get(&(of, id)) else {
                assert!(!ids.contains(&id), "{id} was never sent in minute {of}");
                continue;
            };
            assert!(told.ok <= 1, "id {id} of minute {of}: {told:?}");
            // Whatever was answered as counted or as a duplicate is counted.
            assert!(
                ids.contains(&id) || told.ok + told.duplicate == 0,
                "id {id} of minute {of}: {told:?}"
            );
            // No ok at all only if a reply was lost past every retry.
            assert!(told.ok == 1 || told.failed > 0, "id {id} of minute {of}: {told:?}");
        }
    }
    let corrections = crate::counted::items(&cloud, "CORRECTION").await;
    assert!(corrections.is_empty(), "{corrections:?}");
    for (key, count) in cloud.services().streamed() {
        let of = recorded.get(&key).map_or(0, BTreeSet::len);
        assert_eq!(count.unique_ids, u64::try_from(of).expect("few"), "on the stream, {key}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_published_count_is_the_number_of_accepted_ids(
        moments in moments(),
        troubles in proptest::collection::vec(trouble(), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(play(&moments, &troubles));
    }
}
