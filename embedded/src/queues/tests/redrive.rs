use std::sync::Arc;

use super::*;
use crate::queues::redrive::Redrive;

/// Moves dead letters of [`work`], with at most `limit` of them.
fn redrive(table: &Table, to: Option<&str>, limit: usize, now: Millis) -> usize {
    let (from, to) = (Arc::new(dead()), to.map(str::to_owned));
    let redrive = Redrive { from, to, sources: Arc::new(["work".to_owned()]), limit };
    redrive.run(&table.0, now).expect("moved")
}

/// Makes a dead letter of each body, by 90 s.
fn bury(table: &Table, bodies: &[&str]) {
    let messages: Vec<_> = bodies.iter().map(|body| message(body)).collect();
    table.send_all(&work(), &messages, at(0));
    for seconds in [0, 30, 60, 90] {
        table.receive(&work(), at(seconds));
    }
    assert_eq!(table.depth(&dead(), at(90)).visible, bodies.len() as u64);
}

#[test]
fn a_dead_letter_returns_to_its_queue_as_a_new_message() {
    let table = Table::new();
    bury(&table, &["hello"]);
    let dead_letter = table.receive_one(&dead(), at(90));
    assert_eq!(redrive(&table, None, 10, at(100)), 0, "in flight");
    assert_eq!(redrive(&table, None, 10, at(120)), 1);
    let message = table.receive_one(&work(), at(120));
    assert_eq!((message.body.as_str(), message.receive_count), ("hello", 1));
    assert_eq!((message.sent_at, message.first_received_at), (time(120), time(120)));
    assert_ne!(message.id, dead_letter.id);
    table.delete(&dead_letter);
    assert_eq!(table.rows(), 1, "the receipt was of the dead letter");
}

#[test]
fn a_message_sent_to_the_dead_letter_queue_itself_has_no_queue_to_return_to() {
    let table = Table::new();
    bury(&table, &["buried"]);
    table.send(&dead(), "sent", at(0));
    assert_eq!(redrive(&table, None, 10, at(90)), 1);
    assert_eq!(table.bodies(&work(), at(90)), ["buried"]);
    assert_eq!(redrive(&table, Some("other"), 10, at(90)), 1);
    assert_eq!(table.bodies(&Queue::new("other"), at(90)), ["sent"]);
}

#[test]
fn a_message_of_a_queue_that_is_no_longer_declared_stays() {
    let table = Table::new();
    let policy = work().redrive;
    let former = Queue { redrive: policy, ..Queue::new("former") };
    table.send(&former, "hello", at(0));
    for seconds in [0, 30, 60, 90] {
        table.receive(&former, at(seconds));
    }
    assert_eq!(redrive(&table, None, 10, at(90)), 0);
    assert_eq!(table.bodies(&dead(), at(90)), ["hello"]);
}

#[test]
fn a_redrive_moves_at_most_the_requested_number() {
    let table = Table::new();
    bury(&table, &["a", "b", "c"]);
    assert_eq!(redrive(&table, None, 2, at(90)), 2);
    assert_eq!(table.depth(&dead(), at(90)).visible, 1);
    assert_eq!(table.depth(&work(), at(90)).visible, 2);
}

#[test]
fn an_expired_dead_letter_does_not_return() {
    let table = Table::new();
    bury(&table, &["hello"]);
    assert_eq!(redrive(&table, None, 10, at(1_209_600)), 0);
}
