//! Messages are lost, come twice and in any order; replies are lost; clocks differ. The figures are computed once, and are the same for all.

use std::time::Duration;

use futures_util::future::{join, join_all};
use once::{
    company::{CacheStatus, FiguresError, Kind},
    testing::Fault,
};

use crate::company::{
    COMPANY, KINDS, QUERIES, ask, ask_all, asked, at, begin, body, calls, compute, count, fences,
    get, new_instance, sent, served, served_by, told, waiting,
};

#[tokio::test]
async fn a_message_that_is_lost_is_sent_again_when_its_claim_has_lapsed() {
    let cloud = begin().await;
    drop(asked(&cloud, Kind::Sales, at(0)).await);
    let hasty = waiting(&cloud, Duration::from_millis(50));
    let answer = ask(&hasty, Kind::Sales, at(5)).await;
    assert!(matches!(answer, Err(FiguresError::TimedOut)), "{answer:?}");
    assert!(cloud.services().take_queued().is_empty(), "it is taken to be on its way");
    let sales = get(&cloud, Kind::Sales, at(10)).await.expect("figures");
    assert_eq!((sales.status, body(&sales)["sales"].clone()), (CacheStatus::Miss, 7.into()));
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 3, 0]), "claimed twice, taken once");
}

#[tokio::test]
async fn who_waits_for_a_claim_that_lapses_asks_for_the_work_itself() {
    let cloud = begin().await;
    drop(asked(&cloud, Kind::Sales, at(0)).await);
    // A moment before it lapses, by a clock that goes on.
    let just_before = at(10).minus(Duration::from_millis(300));
    let instance = new_instance(&cloud);
    let sales =
        served(&cloud, &[new_instance(&cloud)], at(10), ask(&instance, Kind::Sales, just_before))
            .await;
    assert_eq!(sales.expect("figures").status, CacheStatus::Miss);
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 3, 0]));
}

#[tokio::test]
async fn messages_that_come_twice_and_in_any_order_are_done_once() {
    for seed in 0..4 {
        let cloud = begin().await;
        let instance = new_instance(&cloud);
        let workers: Vec<_> = (0..6).map(|_| new_instance(&cloud)).collect();
        let working = async {
            let messages = sent(&cloud, 3).await;
            let mut twice = [messages.clone(), messages].concat();
            fastrand::Rng::with_seed(seed).shuffle(&mut twice);
            let deliveries = twice.iter().zip(&workers);
            join_all(deliveries.map(|(message, worker)| compute(worker, message, at(0)))).await;
        };
        let (answers, ()) = join(ask_all(&instance, at(0)), working).await;
        assert!(
            answers
                .iter()
                .all(|asked| asked.as_ref().expect("figures").status == CacheStatus::Miss)
        );
        assert_eq!(fences(&cloud, COMPANY).await, (1, [2; 3]), "seed {seed}");
        assert_eq!(calls(&workers, "Query"), QUERIES, "seed {seed}");
    }
}

#[tokio::test]
async fn a_message_of_an_older_claim_does_the_work_of_the_next_and_its_own_finds_it_done() {
    let cloud = begin().await;
    let old = asked(&cloud, Kind::Sales, at(0)).await;
    let new = asked(&cloud, Kind::Sales, at(10)).await;
    let workers = [new_instance(&cloud), new_instance(&cloud)];
    compute(&workers[0], &old, at(11)).await;
    compute(&workers[1], &new, at(12)).await;
    assert_eq!((calls(&workers[..1], "Query"), calls(&workers[1..], "UpdateItem")), (QUERIES, 1));
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 3, 0]));
    assert_eq!(
        ask(&new_instance(&cloud), Kind::Sales, at(13)).await.expect("figures").status,
        CacheStatus::Hit
    );
}

#[tokio::test]
async fn a_worker_whose_replies_are_lost_has_done_what_it_did() {
    let last = u64::try_from(QUERIES).expect("few");
    // Each of its calls but the queries, of which one is like another; in the end all of the others.
    let single = [1, 2, 3, 4, 5, last + 5, last + 6].map(|call| vec![call]);
    let all = vec![1, 3, 5, 7, 9, last + 10, last + 12];
    for lost in single.into_iter().chain([all]) {
        let cloud = begin().await;
        let (instance, worker) = (new_instance(&cloud), new_instance(&cloud));
        for &call in &lost {
            worker.transport.fail_at(call, Fault::LoseReply);
        }
        let workers = [worker];
        let asked = served(&cloud, &workers, at(0), ask(&instance, Kind::Sales, at(0)))
            .await
            .expect("figures");
        assert_eq!(
            (asked.status, body(&asked)["sales"].clone()),
            (CacheStatus::Miss, 7.into()),
            "{lost:?}"
        );
        assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 2, 0]), "{lost:?}");
        let sent = workers[0].transport.take_sent().len();
        assert_eq!(sent, QUERIES + 6 + lost.len(), "{lost:?}: each is asked once more");
    }
}

#[tokio::test]
async fn a_request_whose_replies_are_lost_asks_for_the_work_once() {
    for lost in [vec![1], vec![2], vec![3], vec![1, 3, 5]] {
        let cloud = begin().await;
        let (instance, worker) = (new_instance(&cloud), new_instance(&cloud));
        for &call in &lost {
            instance.transport.fail_at(call, Fault::LoseReply);
        }
        let asked = served(&cloud, &[worker], at(0), ask(&instance, Kind::Sales, at(0)))
            .await
            .expect("figures");
        assert_eq!(
            (asked.status, fences(&cloud, COMPANY).await),
            (CacheStatus::Miss, (1, [0, 2, 0])),
            "{lost:?}"
        );
    }
}

#[tokio::test]
async fn a_message_that_was_sent_twice_because_its_reply_was_lost_is_done_once() {
    let cloud = begin().await;
    let instance = new_instance(&cloud);
    instance.transport.fail_at(4, Fault::LoseReply);
    let workers = [new_instance(&cloud), new_instance(&cloud)];
    let working = async {
        let messages = sent(&cloud, 2).await;
        join_all(
            messages.iter().zip(&workers).map(|(message, worker)| compute(worker, message, at(0))),
        )
        .await;
    };
    let (asked, ()) = join(ask(&instance, Kind::Sales, at(0)), working).await;
    assert_eq!(
        (asked.expect("figures").status, calls(&workers, "Query")),
        (CacheStatus::Miss, QUERIES)
    );
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 2, 0]));
}

#[tokio::test]
async fn clocks_that_differ_by_ten_seconds_change_no_figure() {
    let cloud = begin().await;
    let clocks = [-5, 0, 5].map(at);
    let instances: Vec<_> = (0..9).map(|n| new_instance(&cloud).at(clocks[n % 3])).collect();
    for round in 0..2 {
        let later = Duration::from_mins(2 * round);
        let workers: Vec<_> =
            (0..3).map(|n| new_instance(&cloud).at(clocks[n].plus(later))).collect();
        let requests = join_all((0..180).map(async |n: usize| {
            let instance = &instances[n % 9];
            let asked = ask(instance, KINDS[n / 9 % 3], instance.app.now().plus(later)).await;
            (n / 9 % 3, asked.expect("figures"))
        }));
        let answers = served_by(&cloud, &workers, requests).await;
        for kind in 0..3 {
            let answers: Vec<_> = answers
                .iter()
                .filter(|(of, _)| *of == kind)
                .map(|(_, asked)| asked.clone())
                .collect();
            assert!(answers.iter().all(|asked| asked.answer == answers[0].answer));
            // A claim may seem to have lapsed to a clock that is ten seconds ahead: then two have asked. One has worked.
            assert!((1..=3).contains(&count(&answers, CacheStatus::Miss)));
            assert_eq!(told(&answers[0])["company_id"], COMPANY);
        }
        assert_eq!(calls(&workers, "Query"), if round == 0 { QUERIES } else { 0 });
        assert_eq!(fences(&cloud, COMPANY).await.0, 1);
    }
}
