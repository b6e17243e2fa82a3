mod declarations;
mod model;
mod protocol;
mod redrive;
mod rules;
mod sdk;
mod service;
mod signals;

use rusqlite::Connection;

use super::{
    Depth, Error, Message, MessageId, OutgoingMessage, Queue, ReceiveOptions, RedrivePolicy,
    Timestamp, receive, table,
};

/// Monday, 1 June 2026, 00:00 UTC.
const START: Timestamp = 1_780_272_000_000;

/// Returns the time this number of seconds after the start.
fn at(seconds: i64) -> Timestamp {
    START + seconds * 1_000
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

    fn send_all(
        &self,
        queue: &Queue,
        messages: &[OutgoingMessage],
        now: Timestamp,
    ) -> Vec<MessageId> {
        table::send(&self.0, queue, messages, now).expect("sent")
    }

    fn send(&self, queue: &Queue, body: &str, now: Timestamp) -> MessageId {
        self.send_all(queue, &[message(body)], now)[0]
    }

    fn receive_with(&self, queue: &Queue, options: ReceiveOptions, now: Timestamp) -> Vec<Message> {
        receive::receive(&self.0, queue, options, now).expect("received").messages
    }

    fn receive(&self, queue: &Queue, now: Timestamp) -> Vec<Message> {
        self.receive_with(queue, ReceiveOptions::new(10).expect("options"), now)
    }

    /// Receives the only visible message.
    fn receive_one(&self, queue: &Queue, now: Timestamp) -> Message {
        let mut messages = self.receive(queue, now);
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    fn bodies(&self, queue: &Queue, now: Timestamp) -> Vec<String> {
        self.receive(queue, now).into_iter().map(|message| message.body).collect()
    }

    fn delete(&self, message: &Message) {
        table::delete(&self.0, std::slice::from_ref(&message.receipt)).expect("deleted");
    }

    fn hide(&self, message: &Message, timeout_s: u32, now: Timestamp) -> Result<(), Error> {
        let changes = [(message.receipt.clone(), timeout_s)];
        table::change_visibilities(&self.0, &changes, now).expect("changed").remove(0)
    }

    fn depth(&self, queue: &Queue, now: Timestamp) -> Depth {
        table::depth(&self.0, queue, now).expect("a depth")
    }

    /// Returns the number of rows, of whichever queue and age.
    fn rows(&self) -> u64 {
        let count = r#"SELECT COUNT(*) FROM "queue:messages""#;
        self.0.query_row(count, [], |row| row.get(0)).expect("a count")
    }
}
