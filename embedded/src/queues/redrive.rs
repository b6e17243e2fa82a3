//! Dead letters back to their queues.

use std::sync::Arc;

use rusqlite::{Connection, params};
use serde_json::Value;

use super::{Millis, Queue};

/// A move of dead letters.
pub(super) struct Redrive {
    /// The dead-letter queue.
    pub from: Arc<Queue>,
    /// Where all messages go; without it, each goes to the queue that it came from.
    pub to: Option<String>,
    /// The queues to which messages may return.
    pub sources: Arc<[String]>,
    /// The largest number of messages to move.
    pub limit: usize,
}

impl Redrive {
    /// Moves visible messages, and returns their number.
    pub fn run(&self, store: &Connection, now: Millis) -> rusqlite::Result<usize> {
        let messages = self.select(store, now)?;
        let mut send = store.prepare_cached(
            r#"INSERT INTO "queue:messages" (queue, visible_at, sent_at, attributes, body)
             SELECT COALESCE(?2, source), ?3, ?3, attributes, body
             FROM "queue:messages" WHERE id = ?1"#,
        )?;
        let mut delete = store.prepare_cached(r#"DELETE FROM "queue:messages" WHERE id = ?1"#)?;
        for message in &messages {
            send.execute(params![message, self.to, now])?;
            delete.execute([message])?;
        }
        Ok(messages.len())
    }

    fn select(&self, store: &Connection, now: Millis) -> rusqlite::Result<Vec<i64>> {
        let mut movable = store.prepare_cached(
            r#"SELECT id FROM "queue:messages"
             WHERE queue = ?1 AND visible_at <= ?2 AND +sent_at > ?3
               AND (?4 IS NOT NULL OR source IN (SELECT value FROM json_each(?5)))
             ORDER BY visible_at, received_at, sent_at, id LIMIT ?6"#,
        )?;
        let sources = Value::from(&*self.sources).to_string();
        let (from, expired_at) = (&self.from, self.from.expired_at(now));
        let parameters = params![from.name, now, expired_at, self.to, sources, self.limit];
        movable.query_map(parameters, |row| row.get(0))?.collect()
    }
}
