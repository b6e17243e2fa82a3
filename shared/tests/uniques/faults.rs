//! The store fails: an id that was not recorded is never answered as counted, and one that was is counted once.

use once::{
    testing::{Cloud, Fault},
    uniques::AcceptOutcome,
};

use crate::counted::{accept, at, minute, new_instance, recorded};

#[tokio::test]
async fn a_reply_that_is_lost_is_found_again_by_the_requests_own_token() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.app.uniques().warm(at(0, 0)).await.expect("a store");
    instance.transport.fail_at(1, Fault::LoseReply);
    assert_eq!(accept(&instance, 7, at(0, 1)).await.expect("recorded"), AcceptOutcome::New);
    assert_eq!(
        instance.transport.take_sent().len(),
        1 + 1 + 2,
        "the second try met the first one's record"
    );
    assert_eq!(accept(&instance, 7, at(0, 2)).await.expect("an answer"), AcceptOutcome::Duplicate);
}

#[tokio::test]
async fn a_reply_that_is_lost_past_every_retry_is_a_failure_and_the_id_is_counted() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.app.uniques().warm(at(0, 0)).await.expect("a store");
    instance.transport.fail_randomly(1, 1.0, Fault::LoseReply);
    accept(&instance, 7, at(0, 1)).await.expect_err("no answer");
    instance.transport.heal();
    // The instance has not learnt the id: it asks, and finds it counted by another request.
    assert_eq!(accept(&instance, 7, at(0, 2)).await.expect("an answer"), AcceptOutcome::Duplicate);
    assert_eq!(recorded(&cloud).await[&minute(0).to_string()].len(), 1);
}

#[tokio::test]
async fn a_throttled_or_unreachable_store_counts_nothing_and_the_id_may_come_again() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.app.uniques().warm(at(0, 0)).await.expect("a store");
    for (id, fault) in [(1, Fault::Throttle), (2, Fault::Refuse)] {
        instance.transport.fail_randomly(1, 1.0, fault);
        accept(&instance, id, at(0, 1)).await.expect_err("no answer");
        instance.transport.heal();
        assert_eq!(
            accept(&instance, id, at(0, 2)).await.expect("recorded"),
            AcceptOutcome::New,
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn nothing_is_accepted_while_it_is_not_known_how_ids_are_counted() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.transport.fail_randomly(1, 1.0, Fault::Refuse);
    accept(&instance, 7, at(0, 1)).await.expect_err("no answer");
    instance.transport.heal();
    assert_eq!(accept(&instance, 7, at(0, 1)).await.expect("recorded"), AcceptOutcome::New);
}

#[tokio::test]
async fn nothing_is_accepted_into_a_minute_before_the_first_that_is_counted() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    accept(&instance, 7, at(0, 1)).await.expect("recorded");
    accept(&instance, 7, at(-1, 1)).await.expect("recorded: clocks may differ");
    accept(&instance, 7, at(-2, 1)).await.expect_err("nobody would count it");
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_at_the_same_time_do_not_wait_for_each_others_failures() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    // Whoever reads first how ids are counted has no answer for a long time.
    instance.transport.fail_randomly(1, 1.0, Fault::Delay(std::time::Duration::from_secs(50)));
    let begun = tokio::time::Instant::now();
    let first = accept(&instance, 1, at(0, 1));
    let others = async {
        let others = (2..50).map(|id| accept(&instance, id, at(0, 1)));
        let answers = futures_util::future::join_all(others).await;
        assert!(answers.iter().all(Result::is_err));
        begun.elapsed()
    };
    tokio::select! {
        biased;
        answer = first => panic!("{answer:?}"),
        waited = others => assert!(waited <= std::time::Duration::from_secs(3), "{waited:?}"),
    }
}
