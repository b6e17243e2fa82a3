//! Deliveries: which visible messages are delivered, and which become dead letters.

use rusqlite::{Connection, Row, params};

use super::{
    Error, Message, MessageId, Millis, Queue, Receipt,
    queue::{MAX_MESSAGES, VISIBILITY_TIMEOUT, milliseconds},
    table,
};

/// The number of messages that a receive looks at, or removes, without delivering them.
pub(super) const MAX_UNDELIVERED: usize = 100;

/// How to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiveOptions {
    max_messages: u32,
    /// The queue's visibility timeout if it is absent.
    visibility_timeout_s: Option<u32>,
}

impl ReceiveOptions {
    /// Receives up to this number of messages, 1 to 10, and hides them for the queue's visibility
    /// timeout.
    pub fn new(max_messages: u32) -> Result<Self, Error> {
        let max_messages = MAX_MESSAGES.check(max_messages)?;
        Ok(Self { max_messages, visibility_timeout_s: None })
    }

    /// Hides the messages for this number of seconds, at most 12 hours.
    pub fn with_visibility_timeout(self, timeout_s: u32) -> Result<Self, Error> {
        let visibility_timeout_s = Some(VISIBILITY_TIMEOUT.check(timeout_s)?);
        Ok(Self { visibility_timeout_s, ..self })
    }
}

/// What a receive did.
pub(super) struct Received {
    pub messages: Vec<Message>,
    /// Number of messages that moved to the dead-letter queue.
    pub dead_letters: usize,
}

/// Receives messages of a queue.
pub(super) fn receive(
    store: &Connection,
    queue: &Queue,
    options: ReceiveOptions,
    now: Millis,
) -> rusqlite::Result<Received> {
    table::remove_expired(store, queue, now, MAX_UNDELIVERED)?;
    let due = select(store, queue, options.max_messages as usize, now)?;
    let timeout_s = options.visibility_timeout_s.unwrap_or(queue.visibility_timeout_s);
    let visible_at = now + milliseconds(timeout_s);
    let deliver = |message| deliver(store, queue, message, visible_at, now);
    let messages = due.deliverable.into_iter().map(deliver).collect::<Result<_, _>>()?;
    move_to_dead_letters(store, queue, &due.exhausted, now)?;
    Ok(Received { messages, dead_letters: due.exhausted.len() })
}

/// The rows of visible messages.
#[derive(Default)]
struct Due {
    deliverable: Vec<i64>,
    /// Received as often as the redrive policy allows.
    exhausted: Vec<i64>,
}

pub(super) const VISIBLE: &str = r#"
    SELECT id, sent_at, receive_count FROM "queue:messages"
    WHERE queue = ?1 AND visible_at <= ?2
    ORDER BY visible_at, received_at, sent_at, id LIMIT ?3"#;

fn select(
    store: &Connection,
    queue: &Queue,
    max_messages: usize,
    now: Millis,
) -> rusqlite::Result<Due> {
    let max_receive_count = queue.redrive.as_ref().map_or(u32::MAX, |to| to.max_receive_count);
    let mut visible = store.prepare_cached(VISIBLE)?;
    let mut rows = visible.query(params![queue.name, now, max_messages + MAX_UNDELIVERED])?;
    let mut due = Due::default();
    while due.deliverable.len() < max_messages
        && let Some(row) = rows.next()?
    {
        let is_expired = row.get::<_, Millis>("sent_at")? <= queue.expired_at(now);
        let is_exhausted = row.get::<_, u32>("receive_count")? >= max_receive_count;
        match (is_expired, is_exhausted) {
            (true, _) => {}
            (false, true) => due.exhausted.push(row.get("id")?),
            (false, false) => due.deliverable.push(row.get("id")?),
        }
    }
    Ok(due)
}

fn deliver(
    store: &Connection,
    queue: &Queue,
    message: i64,
    visible_at: Millis,
    now: Millis,
) -> rusqlite::Result<Message> {
    let mut deliver = store.prepare_cached(
        r#"UPDATE "queue:messages"
         SET visible_at = ?2, received_at = ?3, receive_count = receive_count + 1,
             first_received_at = COALESCE(first_received_at, ?3)
         WHERE id = ?1
         RETURNING id, sent_at, first_received_at, receive_count, attributes, body"#,
    )?;
    deliver.query_row(params![message, visible_at, now], |row| parse(queue, row))
}

fn parse(queue: &Queue, row: &Row<'_>) -> rusqlite::Result<Message> {
    let (message, sent_at) = (row.get("id")?, row.get("sent_at")?);
    let receive_count = row.get("receive_count")?;
    Ok(Message {
        id: MessageId::new(message, sent_at),
        receipt: Receipt { queue: queue.name.clone(), message, delivery: receive_count },
        body: row.get("body")?,
        attributes: row.get("attributes")?,
        receive_count,
        sent_at: table::time(sent_at)?,
        first_received_at: table::time(row.get("first_received_at")?)?,
    })
}

fn move_to_dead_letters(
    store: &Connection,
    queue: &Queue,
    messages: &[i64],
    now: Millis,
) -> rusqlite::Result<()> {
    let mut change = store.prepare_cached(
        r#"UPDATE "queue:messages"
         SET queue = ?2, source = queue, visible_at = ?3, received_at = NULL
         WHERE id = ?1"#,
    )?;
    for message in messages {
        change.execute(params![message, queue.dead_letter_queue(), now])?;
    }
    Ok(())
}
