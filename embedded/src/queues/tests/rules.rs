use super::*;
use crate::queues::receive::MAX_UNDELIVERED;

#[test]
fn a_message_is_delivered_until_it_is_deleted() {
    let (table, queue) = (Table::new(), work());
    let id = table.send(&queue, "hello", at(0));
    let first = table.receive_one(&queue, at(1));
    assert_eq!((first.id, first.body.as_str(), first.receive_count), (id, "hello", 1));
    assert_eq!((first.sent_at, first.first_received_at), (time(0), time(1)));
    assert_eq!(table.receive(&queue, at(31) - 1), [], "hidden for 30 s");

    let second = table.receive_one(&queue, at(31));
    assert_eq!((second.id, second.receive_count), (id, 2));
    assert_eq!((second.sent_at, second.first_received_at), (time(0), time(1)));
    assert_ne!(second.receipt, first.receipt);
    table.delete(&second);
    assert_eq!(table.receive(&queue, at(1_000)), []);
}

#[test]
fn a_receive_returns_at_most_the_requested_number_and_the_first_visible_first() {
    let (table, queue) = (Table::new(), work());
    for n in 0..12 {
        table.send(&queue, &n.to_string(), at(12 - n));
    }
    let three = ReceiveOptions::new(3).expect("options");
    let bodies: Vec<_> =
        table.receive_with(&queue, three, at(20)).into_iter().map(|m| m.body).collect();
    assert_eq!(bodies, ["11", "10", "9"]);
    assert_eq!(table.bodies(&queue, at(20)).len(), 9);
    for refused in [0, 11] {
        ReceiveOptions::new(refused).expect_err("1 to 10");
    }
}

#[test]
fn queues_share_no_messages() {
    let (table, other) = (Table::new(), Queue::new("other"));
    table.send(&work(), "hello", at(0));
    assert_eq!(table.receive(&other, at(0)), []);
    assert_eq!(table.depth(&other, at(0)), Depth::default());
}

#[test]
fn a_delay_is_that_of_the_message_or_else_of_the_queue() {
    let (table, queue) = (Table::new(), Queue { delay_s: 10, ..work() });
    let delayed = |body, delay_s| message(body).with_delay(delay_s).expect("a delay");
    table.send_all(&queue, &[message("queue"), delayed("none", 0), delayed("long", 900)], at(0));
    assert_eq!(table.depth(&queue, at(0)), Depth { visible: 1, in_flight: 0, delayed: 2 });
    assert_eq!(table.bodies(&queue, at(0)), ["none"]);
    assert_eq!(table.bodies(&queue, at(10) - 1), [""; 0]);
    assert_eq!(table.bodies(&queue, at(10)), ["queue"]);
    assert!(!table.bodies(&queue, at(900) - 1).contains(&"long".to_owned()));
    assert!(table.bodies(&queue, at(900)).contains(&"long".to_owned()));
    message("too long").with_delay(901).expect_err("at most 15 minutes");
}

#[test]
fn a_receive_may_set_its_own_visibility_timeout() {
    let (table, queue) = (Table::new(), work());
    table.send(&queue, "hello", at(0));
    let options = ReceiveOptions::new(1).expect("options");
    let two_minutes = options.with_visibility_timeout(120).expect("options");
    assert_eq!(table.receive_with(&queue, two_minutes, at(0)).len(), 1);
    assert_eq!(table.receive(&queue, at(120) - 1), []);
    assert_eq!(table.receive(&queue, at(120)).len(), 1);
    options.with_visibility_timeout(43_201).expect_err("at most 12 hours");
}

#[test]
fn an_old_receipt_deletes_its_message() {
    let (table, queue) = (Table::new(), work());
    table.send(&queue, "hello", at(0));
    let old = table.receive_one(&queue, at(0));
    table.receive_one(&queue, at(30));
    table.delete(&old);
    assert_eq!(table.rows(), 0);
}

#[test]
fn a_receipt_of_a_deleted_message_deletes_no_later_one() {
    let (table, queue) = (Table::new(), work());
    table.send(&queue, "first", at(0));
    let first = table.receive_one(&queue, at(0));
    table.delete(&first);
    table.send(&queue, "second", at(1));
    let second = table.receive_one(&queue, at(1));
    assert_ne!(second.receipt, first.receipt);
    table.delete(&first);
    assert_eq!(table.bodies(&queue, at(31)), ["second"]);
}

#[test]
fn a_changed_visibility_timeout_counts_from_the_change() {
    let (table, queue) = (Table::new(), work());
    table.send(&queue, "hello", at(0));
    let first = table.receive_one(&queue, at(0));
    table.hide(&first, 100, at(20)).expect("in flight");
    assert_eq!(table.receive(&queue, at(120) - 1), []);
    let second = table.receive_one(&queue, at(120));
    table.hide(&second, 0, at(121)).expect("in flight");
    assert_eq!(table.receive_one(&queue, at(121)).receive_count, 3);
}

#[test]
fn only_the_last_delivery_in_flight_changes_the_visibility() {
    let (table, queue) = (Table::new(), work());
    table.send(&queue, "hello", at(0));
    let first = table.receive_one(&queue, at(0));
    let is_refused = |message: &Message, now| {
        matches!(table.hide(message, 60, now), Err(Error::MessageNotInFlight))
    };
    assert!(is_refused(&first, at(30)), "visible again");
    let second = table.receive_one(&queue, at(30));
    assert!(is_refused(&first, at(31)), "delivered again");
    table.hide(&second, 60, at(31)).expect("in flight");
    table.delete(&second);
    assert!(is_refused(&second, at(32)), "deleted");
}

#[test]
fn a_message_is_hidden_for_at_most_12_hours_in_total() {
    let (table, queue) = (Table::new(), work());
    table.send(&queue, "hello", at(0));
    let message = table.receive_one(&queue, at(5));
    table.hide(&message, 43_200, at(5)).expect("12 hours");
    table.hide(&message, 43_190, at(15)).expect("12 hours since it was received");
    let error = table.hide(&message, 43_191, at(15)).expect_err("more than 12 hours");
    assert!(matches!(error, Error::InvalidParameter { parameter: "VisibilityTimeout", .. }));
    assert_eq!(table.receive(&queue, at(43_205) - 1), []);
    assert_eq!(table.receive(&queue, at(43_205)).len(), 1);
}

#[test]
fn a_message_received_too_often_becomes_a_dead_letter() {
    let (table, queue, dead) = (Table::new(), work(), dead());
    let id = table.send(&queue, "hello", at(0));
    for delivery in 1..=3 {
        assert_eq!(table.receive_one(&queue, at(i64::from(delivery) * 30)).receive_count, delivery);
    }
    assert_eq!(table.receive(&dead, at(120) - 1), []);
    assert_eq!(table.receive(&queue, at(120)), []);
    assert_eq!(table.depth(&queue, at(120)), Depth::default());
    assert_eq!(table.depth(&dead, at(120)), Depth { visible: 1, in_flight: 0, delayed: 0 });

    let dead_letter = table.receive_one(&dead, at(121));
    assert_eq!((dead_letter.id, dead_letter.body.as_str()), (id, "hello"));
    assert_eq!((dead_letter.sent_at, dead_letter.first_received_at), (time(0), time(30)));
    assert_eq!(dead_letter.receive_count, 4, "counted across queues");
}

#[test]
fn a_receipt_of_the_source_queue_neither_deletes_nor_hides_the_dead_letter() {
    let (table, queue, dead) = (Table::new(), work(), dead());
    table.send(&queue, "hello", at(0));
    let last = [0, 30, 60].map(|seconds| table.receive_one(&queue, at(seconds)))[2].clone();
    assert_eq!(table.receive(&queue, at(90)), []);
    table.delete(&last);
    assert!(matches!(table.hide(&last, 60, at(90)), Err(Error::MessageNotInFlight)));
    assert_eq!(table.bodies(&dead, at(90)), ["hello"]);
}

#[test]
fn dead_letters_take_no_place_of_other_messages() {
    let (table, queue) = (Table::new(), work());
    table.send_all(&queue, &vec![message("bad"); 10], at(0));
    for seconds in [0, 30, 60] {
        assert_eq!(table.receive(&queue, at(seconds)).len(), 10);
    }
    table.send(&queue, "good", at(90));
    assert_eq!(table.bodies(&queue, at(90)), ["good"]);
    assert_eq!(table.depth(&dead(), at(90)).visible, 10);
}

#[test]
fn an_expired_message_is_removed_whatever_its_state() {
    let (table, queue) = (Table::new(), Queue { retention_s: 60, ..work() });
    let delayed = message("delayed").with_delay(900).expect("a delay");
    table.send_all(&queue, &[message("received"), delayed], at(0));
    table.receive_one(&queue, at(40));
    table.send(&queue, "visible", at(0));
    table.send(&queue, "younger", at(1));
    assert_eq!(table.depth(&queue, at(60) - 1), Depth { visible: 2, in_flight: 1, delayed: 1 });
    assert_eq!(table.depth(&queue, at(60)), Depth { visible: 1, in_flight: 0, delayed: 0 });
    assert_eq!(table.bodies(&queue, at(60)), ["younger"]);
    assert_eq!(table.rows(), 1);
}

#[test]
fn a_dead_letter_expires_by_the_time_when_it_was_first_sent() {
    let (table, queue) = (Table::new(), work());
    let dead = Queue { retention_s: 600, ..dead() };
    table.send(&queue, "hello", at(0));
    for seconds in [0, 30, 60] {
        table.receive_one(&queue, at(seconds));
    }
    assert_eq!(table.receive(&queue, at(500)), []);
    assert_eq!(table.depth(&dead, at(600) - 1).visible, 1);
    assert_eq!(table.receive(&dead, at(600)), []);
    assert_eq!(table.rows(), 0);
}

#[test]
fn a_call_removes_a_bounded_number_of_expired_messages() {
    let (table, queue) = (Table::new(), Queue { retention_s: 60, ..work() });
    table.send_all(&queue, &vec![message("old"); 3 * MAX_UNDELIVERED], at(0));
    table.send(&queue, "new", at(50));
    assert_eq!(table.bodies(&queue, at(60)), [""; 0], "100 removed, 100 looked at");
    assert_eq!(table.rows(), 2 * 100 + 1);
    assert_eq!(table::remove_expired(&table.0, &queue, at(60), 150).expect("removed"), 150);
    assert_eq!(table.bodies(&queue, at(60)), ["new"]);
    assert_eq!(table.rows(), 1);
}

#[test]
fn a_purge_deletes_all_messages_sent_before_it() {
    let (table, queue) = (Table::new(), work());
    let delayed = message("delayed").with_delay(900).expect("a delay");
    table.send_all(&queue, &[message("received"), delayed, message("visible")], at(0));
    table.receive_with(&queue, ReceiveOptions::new(1).expect("options"), at(0));
    table.send(&dead(), "of another queue", at(0));
    let last = table::last_message(&table.0).expect("a row");
    table.send(&queue, "later", at(0));
    let purge = |limit| table::purge(&table.0, &queue, last, limit).expect("purged");
    assert_eq!([purge(2), purge(2), purge(2)], [2, 1, 0]);
    assert_eq!(table.bodies(&queue, at(0)), ["later"]);
    assert_eq!(table.bodies(&dead(), at(0)), ["of another queue"]);
}

#[test]
fn the_next_visible_message_may_be_visible_hidden_or_delayed() {
    let (table, queue) = (Table::new(), work());
    let next = || table::next_visible_at(&table.0, &queue).expect("a time");
    assert_eq!(next(), None);
    table.send_all(&queue, &[message("delayed").with_delay(50).expect("a delay")], at(0));
    assert_eq!(next(), Some(time(50)));
    table.send(&queue, "visible", at(5));
    assert_eq!(next(), Some(time(5)));
    table.receive_one(&queue, at(7));
    assert_eq!(next(), Some(time(37)));
}

#[test]
fn a_clock_that_steps_back_loses_no_message() {
    let (table, queue) = (Table::new(), work());
    table.send(&queue, "hello", at(10));
    assert_eq!(table.receive(&queue, at(7)), [], "three seconds later");
    assert_eq!(table.depth(&queue, at(7)), Depth { visible: 0, in_flight: 0, delayed: 1 });
    let first = table.receive_one(&queue, at(10));
    table.hide(&first, 43_200, at(6)).expect("12 hours, counted from an earlier time");
    table.hide(&first, 5, at(7)).expect("in flight");
    let second = table.receive_one(&queue, at(12));
    assert_eq!((second.receive_count, second.first_received_at), (2, time(10)));
    table.delete(&second);
    assert_eq!(table.rows(), 0);
}

#[test]
fn a_body_has_1_byte_to_1_mib_with_its_attributes() {
    let largest = "x".repeat(1_048_576);
    OutgoingMessage::new(largest.clone()).expect("1 MiB");
    for refused in [String::new(), largest + "x"] {
        let error = OutgoingMessage::new(refused).expect_err("refused");
        assert!(matches!(error, Error::InvalidParameter { parameter: "MessageBody", .. }));
    }
}

#[test]
fn a_body_has_the_characters_of_xml() {
    OutgoingMessage::new("\t\n\r ~\u{7f}é\u{d7ff}\u{e000}\u{fffd}😀").expect("all allowed");
    for refused in ['\0', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
        let error = OutgoingMessage::new(format!("a{refused}")).expect_err("refused");
        assert!(matches!(error, Error::InvalidMessageContents(c) if c == refused));
    }
}

#[test]
fn a_receive_and_the_counts_read_the_index_only_as_far_as_needed() {
    let table = Table::new();
    let plan = |sql: &str| {
        let mut plan = table.0.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a query");
        let rows = plan.query_map([0, 0, 0], |row| row.get::<_, String>("detail")).expect("a plan");
        rows.collect::<Result<Vec<_>, _>>().expect("a plan")
    };
    assert_eq!(
        plan(receive::VISIBLE),
        ["SEARCH queue:messages USING INDEX queue:messages by visibility \
             (queue=? AND visible_at<?)"],
        "visible messages only, in their order"
    );
    assert_eq!(
        plan(table::DEPTH),
        ["SEARCH queue:messages USING COVERING INDEX queue:messages by visibility (queue=?)"]
    );
}
