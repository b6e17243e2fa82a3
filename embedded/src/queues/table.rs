//! The table of messages: one for all queues.
//!
//! A message is *visible* from `visible_at` on. Until then it is *in flight* if it was received in
//! this queue, else *delayed*. An expired message counts as removed, even while its row is there.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params, types::Type};

use super::{
    Error, MessageId, Millis, OutgoingMessage, Queue, Receipt,
    queue::{VISIBILITY_TIMEOUT, milliseconds},
};

/// No table of DynamoDB, in the same file, can have a name with a colon.
///
/// `AUTOINCREMENT`: a receipt of a deleted message must not delete a later one. The first index
/// orders deliveries, so that a receive reads visible messages only, and has all that counts need.
/// The second one finds expired messages. The body comes last, where SQLite reads it only if
/// it is asked for.
const SCHEMA: &str = r#"
    CREATE TABLE IF NOT EXISTS "queue:messages" (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        visible_at INTEGER NOT NULL,
        sent_at INTEGER NOT NULL,
        received_at INTEGER,
        first_received_at INTEGER,
        receive_count INTEGER NOT NULL DEFAULT 0,
        source TEXT,
        attributes TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS "queue:messages by visibility"
        ON "queue:messages" (queue, visible_at, received_at, sent_at);
    CREATE INDEX IF NOT EXISTS "queue:messages by age"
        ON "queue:messages" (queue, sent_at);
"#;

/// Number of messages of a queue in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Ready to be received.
    pub visible: u64,
    /// Received and not deleted, until their visibility timeout ends.
    pub in_flight: u64,
    /// Not yet ready for their first delivery.
    pub delayed: u64,
}

/// Reads the time in a column.
pub(super) fn time(millis: Millis) -> rusqlite::Result<Timestamp> {
    let in_range = Timestamp::from_millisecond(millis);
    in_range
        .map_err(|cause| rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, cause.into()))
}

/// Creates the table, unless it exists.
pub(super) fn create(store: &Connection) -> rusqlite::Result<()> {
    store.execute_batch(SCHEMA)
}

/// Sends messages.
pub(super) fn send(
    store: &Connection,
    queue: &Queue,
    messages: &[OutgoingMessage],
    now: Millis,
) -> rusqlite::Result<Vec<MessageId>> {
    let mut insert = store.prepare_cached(
        r#"INSERT INTO "queue:messages" (queue, visible_at, sent_at, attributes, body)
         VALUES (?1, ?2, ?3, ?4, ?5)"#,
    )?;
    let sent = messages.iter().map(|OutgoingMessage { body, attributes, delay_s }| {
        let visible_at = now + milliseconds(delay_s.unwrap_or(queue.delay_s));
        let row = insert.insert(params![queue.name, visible_at, now, attributes, body])?;
        Ok(MessageId::new(row, now))
    });
    sent.collect()
}

/// Deletes the messages of these receipts, those excepted that moved to another queue since.
pub(super) fn delete(store: &Connection, receipts: &[Receipt]) -> rusqlite::Result<()> {
    let mut delete =
        store.prepare_cached(r#"DELETE FROM "queue:messages" WHERE id = ?1 AND queue = ?2"#)?;
    for receipt in receipts {
        delete.execute(params![receipt.message, receipt.queue])?;
    }
    Ok(())
}

/// Changes the visibility of messages, each for itself.
pub(super) fn change_visibilities(
    store: &Connection,
    changes: &[(Receipt, u32)],
    now: Millis,
) -> rusqlite::Result<Vec<Result<(), Error>>> {
    let change = |(receipt, timeout_s): &(_, _)| change_visibility(store, receipt, *timeout_s, now);
    changes.iter().map(change).collect()
}

/// Changes the visibility of a message, if this receipt is that of its last delivery.
fn change_visibility(
    store: &Connection,
    receipt: &Receipt,
    timeout_s: u32,
    now: Millis,
) -> rusqlite::Result<Result<(), Error>> {
    let mut in_flight = store.prepare_cached(
        r#"SELECT received_at FROM "queue:messages"
         WHERE id = ?1 AND queue = ?2 AND receive_count = ?3 AND visible_at > ?4
           AND received_at IS NOT NULL"#,
    )?;
    let delivery = params![receipt.message, receipt.queue, receipt.delivery, now];
    let received_at: Option<Millis> = in_flight.query_row(delivery, |row| row.get(0)).optional()?;
    let Some(received_at) = received_at else { return Ok(Err(Error::MessageNotInFlight)) };
    let visible_at = now + milliseconds(timeout_s);
    let max_s = VISIBILITY_TIMEOUT.max();
    if visible_at - received_at > milliseconds(max_s) {
        let reason = format!("must end {max_s} s after the message was received at the latest");
        return Ok(Err(Error::invalid("VisibilityTimeout", reason)));
    }
    store
        .prepare_cached(r#"UPDATE "queue:messages" SET visible_at = ?2 WHERE id = ?1"#)?
        .execute(params![receipt.message, visible_at])?;
    Ok(Ok(()))
}

/// Makes up to `limit` messages in flight visible, and returns their number. A receipt of theirs
/// still deletes its message.
pub(super) fn release_in_flight(
    store: &Connection,
    queue: &Queue,
    now: Millis,
    limit: usize,
) -> rusqlite::Result<usize> {
    store
        .prepare_cached(
            r#"UPDATE "queue:messages" SET visible_at = ?2 WHERE id IN (
                 SELECT id FROM "queue:messages"
                 WHERE queue = ?1 AND visible_at > ?2 AND visible_at = received_at + ?4
                 LIMIT ?3)"#,
        )?
        .execute(params![queue.name, now, limit, milliseconds(queue.visibility_timeout_s)])
}

/// Returns the row of the last message that was sent to any queue; 0 if there is none.
pub(super) fn last_message(store: &Connection) -> rusqlite::Result<i64> {
    store.query_row(r#"SELECT COALESCE(MAX(id), 0) FROM "queue:messages""#, [], |row| row.get(0))
}

/// Deletes up to `limit` messages whose row is at most `last`, and returns their number.
pub(super) fn purge(
    store: &Connection,
    queue: &Queue,
    last: i64,
    limit: usize,
) -> rusqlite::Result<usize> {
    store
        .prepare_cached(
            r#"DELETE FROM "queue:messages" WHERE id IN (
                 SELECT id FROM "queue:messages" WHERE queue = ?1 AND id <= ?2 LIMIT ?3)"#,
        )?
        .execute(params![queue.name, last, limit])
}

/// Deletes up to `limit` expired messages, the oldest first, and returns their number.
pub(super) fn remove_expired(
    store: &Connection,
    queue: &Queue,
    now: Millis,
    limit: usize,
) -> rusqlite::Result<usize> {
    store
        .prepare_cached(
            r#"DELETE FROM "queue:messages" WHERE id IN (
                 SELECT id FROM "queue:messages" WHERE queue = ?1 AND sent_at <= ?2
                 ORDER BY sent_at LIMIT ?3)"#,
        )?
        .execute(params![queue.name, queue.expired_at(now), limit])
}

/// The plus sign keeps SQLite from using the index by age, for which it would read each row; the
/// one by visibility has all that is asked for.
pub(super) const DEPTH: &str = r#"
    SELECT COALESCE(SUM(visible_at <= ?2), 0),
           COALESCE(SUM(visible_at > ?2 AND received_at IS NOT NULL), 0),
           COALESCE(SUM(visible_at > ?2 AND received_at IS NULL), 0)
    FROM "queue:messages" WHERE queue = ?1 AND +sent_at > ?3"#;

/// Counts the messages of a queue.
pub(super) fn depth(store: &Connection, queue: &Queue, now: Millis) -> rusqlite::Result<Depth> {
    store.prepare_cached(DEPTH)?.query_row(params![queue.name, now, queue.expired_at(now)], |row| {
        Ok(Depth { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? })
    })
}

/// Returns when the next message of a queue becomes visible.
pub(super) fn next_visible_at(
    store: &Connection,
    queue: &Queue,
) -> rusqlite::Result<Option<Timestamp>> {
    store
        .prepare_cached(
            r#"SELECT visible_at FROM "queue:messages" WHERE queue = ?1
               ORDER BY visible_at LIMIT 1"#,
        )?
        .query_row([&queue.name], |row| time(row.get(0)?))
        .optional()
}
