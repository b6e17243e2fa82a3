mod declarations;
mod long_poll;
mod model;
mod protocol;
mod redrive;
mod rules;
mod sdk;
mod service;
mod signals;

use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    Depth, Error, Message, MessageId, Millis, OutgoingMessage, Queue, ReceiveOptions,
    RedrivePolicy, receive, table,
};

/// Monday, 1 June 2026, 00:00 UTC.
const START: Millis = 1_780_272_000_000;

/// Returns the time this number of seconds after the start, as the table has it.
fn at(seconds: i64) -> Millis {
    START + seconds * 1_000
}

/// Returns the time this number of seconds after the start.
fn time(seconds: i64) -> Timestamp {
    Timestamp::from_millisecond(at(seconds)).expect("a time")
}

/// A queue whose messages are hidden for 30 s and become dead letters after three deliveries.
fn work() -> Queue {
    let policy = RedrivePolicy { dead_letter_queue: "dead".to_owned(), max_receive_count: 3 };
    Queue { redrive: Some(policy), ..Queue::new("work") }
}

/// The dead-letter queue of [`work`].
fn dead() -> Queue {
    Queue { retention_s: 1_209_600, ..Queue::new("dead") }
}

fn message(body: &str) -> OutgoingMessage {
    OutgoingMessage::new(body).expect("a message")
}

/// A table of messages, called without a store's threads.
struct Table(Connection);

impl Table {
    fn new() -> Self {
        let store = Connection::open_in_memory().expect("a store");
        table::create(&store).expect("a table");
        Self(store)
    }

    fn send_all(&self, queue: &Queue, messages: &[OutgoingMessage], now: Millis) -> Vec<MessageId> {
        table::send(&self.0, queue, messages, now).expect("sent")
    }

    fn send(&self, queue: &Queue, body: &str, now: Millis) -> MessageId {
        self.send_all(queue, &[message(body)], now)[0]
    }

    fn receive_with(&self, queue: &Queue, options: ReceiveOptions, now: Millis) -> Vec<Message> {
        receive::receive(&self.0, queue, options, now).expect("received").messages
    }

    fn receive(&self, queue: &Queue, now: Millis) -> Vec<Message> {
        self.receive_with(queue, ReceiveOptions::new(10).expect("options"), now)
    }

    /// Receives the only visible message.
    fn receive_one(&self, queue: &Queue, now: Millis) -> Message {
        let mut messages = self.receive(queue, now);
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    fn bodies(&self, queue: &Queue, now: Millis) -> Vec<String> {
        self.receive(queue, now).into_iter().map(|message| message.body).collect()
    }

    fn delete(&self, message: &Message) {
        table::delete(&self.0, std::slice::from_ref(&message.receipt)).expect("deleted");
    }

    fn hide(&self, message: &Message, timeout_s: u32, now: Millis) -> Result<(), Error> {
        let changes = [(message.receipt.clone(), timeout_s)];
        table::change_visibilities(&self.0, &changes, now).expect("changed").remove(0)
    }

    fn depth(&self, queue: &Queue, now: Millis) -> Depth {
        table::depth(&self.0, queue, now).expect("a depth")
    }

    /// Returns the number of rows, of whichever queue and age.
    fn rows(&self) -> u64 {
        let count = r#"SELECT COUNT(*) FROM "queue:messages""#;
        self.0.query_row(count, [], |row| row.get(0)).expect("a count")
    }
}
