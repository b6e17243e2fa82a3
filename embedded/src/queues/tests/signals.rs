//! What the functions of [`Queues`] add to those on the table.

use jiff::SignedDuration;

use super::{
    service::{open, start},
    *,
};
use crate::queues::Queues;
use crate::testing::Folder;

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

async fn send(queues: &Queues, bodies: &[&str], now: Timestamp) {
    let messages = bodies.iter().map(|body| message(body)).collect();
    queues.send("work", messages, now).await.expect("sent");
}

async fn receive(queues: &Queues, queue: &str, now: Timestamp) -> Vec<Message> {
    let options = ReceiveOptions::new(10).expect("options");
    queues.receive(queue, options, now).await.expect("received")
}

/// Sends a message and makes it a dead letter, at 90 s.
async fn bury(queues: &Queues) {
    send(queues, &["hello"], time(0)).await;
    for seconds in [0, 30, 60, 90] {
        receive(queues, "work", time(seconds)).await;
    }
}

#[tokio::test]
async fn messages_stay_when_the_queues_are_declared_again() {
    let folder = Folder::new();
    let queues = open(&folder, [work(), dead()]).await;
    send(&queues, &["hello"], time(0)).await;
    let delivered = receive(&queues, "work", time(0)).await;
    drop(queues);
    let longer = Queue { visibility_timeout_s: 60, ..work() };
    let queues = open(&folder, [longer, dead()]).await;
    let depth = queues.depth("work", time(1)).await.expect("a depth");
    assert_eq!(depth, Depth { visible: 0, in_flight: 1, delayed: 0 });
    assert_eq!(receive(&queues, "work", time(30)).await.len(), 1);
    assert_eq!(receive(&queues, "work", time(90) - MILLISECOND).await, [], "hidden for 60 s");
    queues.delete(vec![delivered[0].receipt.clone()]).await.expect("deleted");
    assert_eq!(queues.next_visible_at("work").await.expect("a time"), None);
}

#[tokio::test]
async fn contradictory_declarations_open_no_queues() {
    let (_folder, queues) = start().await;
    let opened = Queues::open(queues.store.clone(), "http://127.0.0.1:9001", [work()]).await;
    assert!(matches!(opened, Err(Error::Declaration(_))));
}

#[tokio::test]
async fn an_undeclared_queue_does_not_exist() {
    let (_folder, queues) = start().await;
    let is_missing = |error| matches!(error, Some(Error::QueueDoesNotExist(name)) if name == "no");
    let options = ReceiveOptions::new(1).expect("options");
    assert!(is_missing(queues.send("no", vec![message("hello")], time(0)).await.err()));
    assert!(is_missing(queues.receive("no", options, time(0)).await.err()));
    assert!(is_missing(queues.delete(vec!["no.1.1".parse().expect("a receipt")]).await.err()));
    assert!(is_missing(queues.purge("no").await.err()));
    assert!(is_missing(queues.depth("no", time(0)).await.err()));
    assert!(is_missing(queues.next_visible_at("no").await.err()));
    assert!(is_missing(queues.arrivals("no").err()));
    assert!(is_missing(queues.redrive("dead", Some("no"), 1, time(0)).await.err()));
}

#[tokio::test]
async fn waiting_receivers_are_woken_when_messages_may_be_visible() {
    let (_folder, queues) = start().await;
    let mut arrivals = queues.arrivals("work").expect("a signal");
    let mut dead_letters = queues.arrivals("dead").expect("a signal");
    let mut is_woken = |dead: bool| {
        let signal = if dead { &mut dead_letters } else { &mut arrivals };
        let has_changed = signal.has_changed().expect("open");
        signal.mark_unchanged();
        has_changed
    };
    assert!(!is_woken(false));
    send(&queues, &["hello"], time(0)).await;
    assert!(is_woken(false), "a message was sent");

    let delivered = receive(&queues, "work", time(0)).await.remove(0);
    assert!(!is_woken(false), "nothing became visible");
    queues.change_visibility(delivered.receipt, 0, time(1)).await.expect("changed");
    assert!(is_woken(false), "a message is visible earlier");

    receive(&queues, "work", time(1)).await;
    receive(&queues, "work", time(31)).await;
    assert!(!is_woken(true));
    receive(&queues, "work", time(61)).await;
    assert!(is_woken(true), "a dead letter arrived");
    assert_eq!(queues.redrive("dead", None, 10, time(62)).await.expect("moved"), 1);
    assert!(is_woken(false), "a dead letter returned");
}

#[tokio::test]
async fn a_redrive_and_a_purge_reach_all_messages_in_several_transactions() {
    let (_folder, queues) = start().await;
    let messages = vec![message("hello"); 2_500];
    queues.send("work", messages, time(0)).await.expect("sent");
    for seconds in [0, 30, 60, 90] {
        for _ in 0..250 {
            receive(&queues, "work", time(seconds)).await;
        }
    }
    let depth = async |queue| queues.depth(queue, time(90)).await.expect("a depth").visible;
    assert_eq!((depth("work").await, depth("dead").await), (0, 2_500));
    assert_eq!(queues.redrive("dead", None, 1_200, time(90)).await.expect("moved"), 1_200);
    assert_eq!((depth("work").await, depth("dead").await), (1_200, 1_300));
    assert_eq!(queues.redrive("dead", Some("work"), 9_999, time(90)).await.expect("moved"), 1_300);
    assert_eq!(queues.purge("work").await.expect("purged"), 2_500);
    assert_eq!((depth("work").await, depth("dead").await), (0, 0));
}

#[tokio::test]
async fn only_dead_letters_are_redriven_and_only_elsewhere() {
    let (_folder, queues) = start().await;
    bury(&queues).await;
    let error = queues.redrive("work", Some("dead"), 1, time(90)).await.expect_err("refused");
    assert_eq!(error.to_string(), "SourceArn: `work` is not a dead-letter queue");
    let error = queues.redrive("dead", Some("dead"), 1, time(90)).await.expect_err("refused");
    assert_eq!(error.to_string(), "DestinationArn: must be another queue");
}

#[tokio::test]
async fn expired_messages_of_all_queues_are_removed() {
    let (_folder, queues) = start().await;
    bury(&queues).await;
    send(&queues, &["hello"], time(0)).await;
    assert_eq!(queues.remove_expired(time(345_600) - MILLISECOND).await.expect("removed"), 0);
    assert_eq!(queues.remove_expired(time(345_600)).await.expect("removed"), 1);
    assert_eq!(queues.remove_expired(time(1_209_600)).await.expect("removed"), 1);
}

#[tokio::test]
async fn a_refused_change_of_visibility_changes_no_other() {
    let (_folder, queues) = start().await;
    send(&queues, &["a", "b"], time(0)).await;
    let delivered = receive(&queues, "work", time(0)).await;
    queues.delete(vec![delivered[0].receipt.clone()]).await.expect("deleted");
    let changes = delivered.into_iter().map(|message| (message.receipt, 60)).collect();
    let results = queues.change_visibilities(changes, time(1)).await.expect("changed");
    assert!(matches!(results[..], [Err(Error::MessageNotInFlight), Ok(())]));
    assert_eq!(queues.next_visible_at("work").await.expect("a time"), Some(time(61)));
}

#[tokio::test]
async fn a_new_process_releases_what_was_in_flight_and_nothing_else() {
    let (_folder, queues) = start().await;
    let delayed = message("delayed").with_delay(900).expect("a delay");
    let messages = vec![message("a"), message("b"), delayed];
    queues.send("work", messages, time(0)).await.expect("sent");
    let delivered = receive(&queues, "work", time(0)).await;
    queues.send("dead", vec![message("dead")], time(0)).await.expect("sent");
    receive(&queues, "dead", time(0)).await;
    let arrivals = queues.arrivals("work").expect("a signal");

    assert_eq!(queues.release_in_flight(time(1)).await.expect("released"), 3);
    assert!(arrivals.has_changed().expect("open"));
    let depth = queues.depth("work", time(1)).await.expect("a depth");
    assert_eq!(depth, Depth { visible: 2, in_flight: 0, delayed: 1 });
    assert_eq!(queues.release_in_flight(time(1)).await.expect("released"), 0);

    queues.delete(vec![delivered[0].receipt.clone()]).await.expect("a late delete");
    let hidden = queues.change_visibility(delivered[1].receipt.clone(), 60, time(1)).await;
    assert!(matches!(hidden, Err(Error::MessageNotInFlight)), "{hidden:?}");
    let messages = receive(&queues, "work", time(1)).await;
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((message.body.as_str(), message.receive_count), ("b", 2));
}

#[tokio::test]
async fn a_message_that_waits_for_its_retry_is_not_released() {
    let (_folder, queues) = start().await;
    send(&queues, &["a"], time(0)).await;
    let [message] = &receive(&queues, "work", time(0)).await[..] else { panic!("no message") };
    let postponed = queues.change_visibility(message.receipt.clone(), 60, time(1)).await;
    postponed.expect("in flight");
    assert_eq!(queues.release_in_flight(time(2)).await.expect("released"), 0);
    assert_eq!(queues.next_visible_at("work").await.expect("a time"), Some(time(61)));
}

#[tokio::test]
async fn all_messages_in_flight_are_released_in_several_transactions() {
    let (_folder, queues) = start().await;
    queues.send("work", vec![message("hello"); 1_500], time(0)).await.expect("sent");
    for _ in 0..150 {
        receive(&queues, "work", time(0)).await;
    }
    assert_eq!(queues.release_in_flight(time(1)).await.expect("released"), 1_500);
    assert_eq!(queues.depth("work", time(1)).await.expect("a depth").visible, 1_500);
}
