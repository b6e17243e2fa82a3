//! Messages are lost, duplicated and reordered; replies are lost; clocks differ. The figures are
//! computed once, and are the same for all callers.

use std::time::Duration;

use futures_util::future::{join, join_all};
use once::{
    company::{CacheStatus, FiguresError, Kind},
    testing::Fault,
};

use crate::company::fixtures::{
    COMPANY, KINDS, QUERIES, abandoned_request, at, body, body_without_time, calls, compute,
    computed, count, fences, instance_with_wait, new_instance, next_messages, request, request_all,
    setup, with_clocked_workers, with_workers,
};

#[tokio::test]
async fn a_lost_message_is_sent_again_when_its_lease_has_expired() {
    let cloud = setup().await;
    drop(abandoned_request(&cloud, Kind::Sales, at(0)).await);
    let impatient = instance_with_wait(&cloud, Duration::from_millis(50));
    let answer = request(&impatient, Kind::Sales, at(5)).await;
    assert!(matches!(answer, Err(FiguresError::TimedOut)), "{answer:?}");
    assert!(cloud.services().take_queued().is_empty(), "the message is presumed in flight");
    let sales = computed(&cloud, Kind::Sales, at(10)).await.expect("figures");
    assert_eq!((sales.status, body(&sales)["sales"].clone()), (CacheStatus::Miss, 7.into()));
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 3, 0]), "claimed twice, taken over once");
}

#[tokio::test]
async fn a_waiting_request_claims_the_key_when_its_lease_expires() {
    let cloud = setup().await;
    drop(abandoned_request(&cloud, Kind::Sales, at(0)).await);
    // Shortly before it expires, with a running clock.
    let just_before = at(10).minus(Duration::from_millis(300));
    let instance = new_instance(&cloud);
    let sales = with_workers(
        &cloud,
        &[new_instance(&cloud)],
        at(10),
        request(&instance, Kind::Sales, just_before),
    )
    .await;
    assert_eq!(sales.expect("figures").status, CacheStatus::Miss);
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 3, 0]));
}

#[tokio::test]
async fn duplicated_and_reordered_messages_are_handled_once() {
    for seed in 0..4 {
        let cloud = setup().await;
        let instance = new_instance(&cloud);
        let workers: Vec<_> = (0..6).map(|_| new_instance(&cloud)).collect();
        let work = async {
            let messages = next_messages(&cloud, 3).await;
            let mut twice = [messages.clone(), messages].concat();
            fastrand::Rng::with_seed(seed).shuffle(&mut twice);
            let deliveries = twice.iter().zip(&workers);
            join_all(deliveries.map(|(message, worker)| compute(worker, message, at(0)))).await;
        };
        let (answers, ()) = join(request_all(&instance, at(0)), work).await;
        assert!(
            answers
                .iter()
                .all(|response| response.as_ref().expect("figures").status == CacheStatus::Miss)
        );
        assert_eq!(fences(&cloud, COMPANY).await, (1, [2; 3]), "seed {seed}");
        assert_eq!(calls(&workers, "Query"), QUERIES, "seed {seed}");
    }
}

#[tokio::test]
async fn a_message_of_an_older_claim_serves_the_newest_one() {
    let cloud = setup().await;
    let old = abandoned_request(&cloud, Kind::Sales, at(0)).await;
    let new = abandoned_request(&cloud, Kind::Sales, at(10)).await;
    let workers = [new_instance(&cloud), new_instance(&cloud)];
    compute(&workers[0], &old, at(11)).await;
    compute(&workers[1], &new, at(12)).await;
    assert_eq!((calls(&workers[..1], "Query"), calls(&workers[1..], "UpdateItem")), (QUERIES, 1));
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 3, 0]));
    assert_eq!(
        request(&new_instance(&cloud), Kind::Sales, at(13)).await.expect("figures").status,
        CacheStatus::Hit
    );
}

#[tokio::test]
async fn a_worker_whose_replies_are_lost_completes_its_work() {
    let last = u64::try_from(QUERIES).expect("few");
    // Each call once, of the queries, which are alike, only the first; then all other calls.
    let single = [1, 2, 3, 4, 5, last + 5, last + 6].map(|call| vec![call]);
    let all = vec![1, 3, 5, 7, 9, last + 10, last + 12];
    for lost in single.into_iter().chain([all]) {
        let cloud = setup().await;
        let (instance, worker) = (new_instance(&cloud), new_instance(&cloud));
        for &call in &lost {
            worker.transport.fail_at(call, Fault::LoseReply);
        }
        let workers = [worker];
        let response =
            with_workers(&cloud, &workers, at(0), request(&instance, Kind::Sales, at(0)))
                .await
                .expect("figures");
        assert_eq!(
            (response.status, body(&response)["sales"].clone()),
            (CacheStatus::Miss, 7.into()),
            "{lost:?}"
        );
        assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 2, 0]), "{lost:?}");
        let calls = workers[0].transport.take_calls().len();
        assert_eq!(calls, QUERIES + 6 + lost.len(), "{lost:?}: each is sent once more");
    }
}

#[tokio::test]
async fn a_request_whose_replies_are_lost_starts_one_computation() {
    for lost in [vec![1], vec![2], vec![3], vec![1, 3, 5]] {
        let cloud = setup().await;
        let (instance, worker) = (new_instance(&cloud), new_instance(&cloud));
        for &call in &lost {
            instance.transport.fail_at(call, Fault::LoseReply);
        }
        let response =
            with_workers(&cloud, &[worker], at(0), request(&instance, Kind::Sales, at(0)))
                .await
                .expect("figures");
        assert_eq!(
            (response.status, fences(&cloud, COMPANY).await),
            (CacheStatus::Miss, (1, [0, 2, 0])),
            "{lost:?}"
        );
    }
}

#[tokio::test]
async fn a_message_sent_twice_because_of_a_lost_reply_is_handled_once() {
    let cloud = setup().await;
    let instance = new_instance(&cloud);
    instance.transport.fail_at(4, Fault::LoseReply);
    let workers = [new_instance(&cloud), new_instance(&cloud)];
    let work = async {
        let messages = next_messages(&cloud, 2).await;
        join_all(
            messages.iter().zip(&workers).map(|(message, worker)| compute(worker, message, at(0))),
        )
        .await;
    };
    let (response, ()) = join(request(&instance, Kind::Sales, at(0)), work).await;
    assert_eq!(
        (response.expect("figures").status, calls(&workers, "Query")),
        (CacheStatus::Miss, QUERIES)
    );
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 2, 0]));
}

#[tokio::test]
async fn clocks_that_differ_by_ten_seconds_do_not_change_the_figures() {
    let cloud = setup().await;
    let clocks = [-5, 0, 5].map(at);
    let instances: Vec<_> = (0..9).map(|n| new_instance(&cloud).at(clocks[n % 3])).collect();
    for round in 0..2 {
        let later = Duration::from_mins(2 * round);
        let workers: Vec<_> =
            (0..3).map(|n| new_instance(&cloud).at(clocks[n].plus(later))).collect();
        let requests = join_all((0..180).map(async |n: usize| {
            let instance = &instances[n % 9];
            let response =
                request(instance, KINDS[n / 9 % 3], instance.app.now().plus(later)).await;
            (n / 9 % 3, response.expect("figures"))
        }));
        let answers = with_clocked_workers(&cloud, &workers, requests).await;
        for kind in 0..3 {
            let answers: Vec<_> = answers
                .iter()
                .filter(|(of, _)| *of == kind)
                .map(|(_, response)| response.clone())
                .collect();
            assert!(answers.iter().all(|response| response.answer == answers[0].answer));
            // For a clock ten seconds ahead a lease may seem to have expired: then a second request
            // claims, but one worker computes.
            assert!((1..=3).contains(&count(&answers, CacheStatus::Miss)));
            assert_eq!(body_without_time(&answers[0])["company_id"], COMPANY);
        }
        assert_eq!(calls(&workers, "Query"), if round == 0 { QUERIES } else { 0 });
        assert_eq!(fences(&cloud, COMPANY).await.0, 1);
    }
}
