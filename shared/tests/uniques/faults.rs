//! The store fails: an id that was not recorded is never answered as counted, and a recorded one is
//! counted once.

use once::{
    testing::{Cloud, Fault},
    uniques::{AcceptOutcome, AcceptRequest},
};

use crate::uniques::fixtures::{accept, at, minute, new_instance, recorded, request};

#[tokio::test]
async fn an_attempt_whose_reply_was_lost_is_recognized_by_the_token_of_its_request() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.app.uniques().warm(at(0, 0)).await.expect("a store");
    instance.transport.fail_at(1, Fault::LoseReply);
    assert_eq!(accept(&instance, 7, at(0, 1)).await.expect("recorded"), AcceptOutcome::New);
    assert_eq!(
        instance.transport.take_calls().len(),
        1 + 1 + 2,
        "the second attempt found the record of the first"
    );
    assert_eq!(accept(&instance, 7, at(0, 2)).await.expect("an answer"), AcceptOutcome::Duplicate);
}

#[tokio::test]
async fn a_request_whose_replies_are_all_lost_fails_and_its_id_is_counted() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.app.uniques().warm(at(0, 0)).await.expect("a store");
    instance.transport.fail_randomly(1, 1.0, Fault::LoseReply);
    accept(&instance, 7, at(0, 1)).await.expect_err("no answer");
    instance.transport.heal();
    // The instance has not cached the id: it calls the store, and another request has counted it.
    assert_eq!(accept(&instance, 7, at(0, 2)).await.expect("an answer"), AcceptOutcome::Duplicate);
    assert_eq!(recorded(&cloud).await[&minute(0).to_string()].len(), 1);
}

#[tokio::test]
async fn a_throttled_or_unreachable_store_counts_nothing_and_the_id_can_be_sent_again() {
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
async fn nothing_is_accepted_until_the_shard_configuration_is_read() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.transport.fail_randomly(1, 1.0, Fault::Refuse);
    accept(&instance, 7, at(0, 1)).await.expect_err("no answer");
    instance.transport.heal();
    assert_eq!(accept(&instance, 7, at(0, 1)).await.expect("recorded"), AcceptOutcome::New);
}

#[tokio::test]
async fn no_put_is_sent_when_the_minute_may_be_closed() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    accept(&instance, 7, at(0, 1)).await.expect("recorded");
    instance.transport.fail_randomly(1, 1.0, Fault::Delay(std::time::Duration::from_secs(50)));
    // Of the 4 s after the arrival, 3.9 have passed.
    let now = at(0, 1).plus(std::time::Duration::from_millis(3_900));
    let late = AcceptRequest { now, ..request(8, at(0, 1)) };
    let error = instance.app.uniques().accept(&late).await.expect_err("no answer in time");
    assert!(!error.is_refused(), "{error}");
    let far = AcceptRequest { now: at(0, 7), ..request(8, at(0, 1)) };
    let error = instance.app.uniques().accept(&far).await.expect_err("too late");
    assert!(error.is_refused(), "{error}");
}

#[tokio::test]
async fn nothing_is_accepted_before_the_first_counted_minute() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    accept(&instance, 7, at(0, 1)).await.expect("recorded");
    accept(&instance, 7, at(-1, 1)).await.expect("recorded: clocks may differ");
    accept(&instance, 7, at(-2, 1)).await.expect_err("before the first counted minute");
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_do_not_wait_for_the_failures_of_others() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    // The first read of the shard configuration gets no answer for a long time.
    instance.transport.fail_randomly(1, 1.0, Fault::Delay(std::time::Duration::from_secs(50)));
    let started = tokio::time::Instant::now();
    let first = accept(&instance, 1, at(0, 1));
    let others = async {
        let others = (2..50).map(|id| accept(&instance, id, at(0, 1)));
        let answers = futures_util::future::join_all(others).await;
        assert!(answers.iter().all(Result::is_err));
        started.elapsed()
    };
    tokio::select! {
        biased;
        answer = first => panic!("{answer:?}"),
        waited = others => assert!(waited <= std::time::Duration::from_secs(3), "{waited:?}"),
    }
}
