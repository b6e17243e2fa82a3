//! DynamoDB in the process, on one SQLite file.
//!
//! A [`Store`] responds to the requests of an `aws_sdk_dynamodb::Client`: a call is parsed,
//! executed by dynoxide and answered. Other modules keep rows of their own in the same file
//! ([`Store::write`], [`Store::read`]).
//!
//! # What is durable
//!
//! One thread writes. It executes up to 64 queued writes in one transaction, each as a savepoint of
//! it, commits, syncs the write-ahead log (WAL) once, and then answers all of them. So after an
//! answer of [`Durability::Full`] the write survives a power failure, and of
//! [`Durability::Normal`], which does not sync, the death of the process. Every write is there as a
//! whole or not at all, also a `BatchWriteItem`; one that fails is rolled back alone.
//!
//! A write without an answer, or with the retryable answer `InternalServerError`, may have
//! happened, as in DynamoDB:
//!
//! - If the disk is full, SQLite rolls the transaction back, and nothing of its writes remains.
//! - If the sync fails, the batch is in the WAL and readers see it, but a power failure may undo
//!   it, and whatever is appended to the WAL behind it, since recovery ends at the first damaged
//!   frame. So no further write is executed until a checkpoint has copied the WAL to the database
//!   file, synced that, and emptied the WAL; meanwhile each write is answered by the same error.
//!   What was answered before is in front of the damage, and safe.
//! - A power failure or a kill between commit and answer leaves the whole batch.
//!
//! # What a read sees
//!
//! Reads run on connections of their own, each on a snapshot taken when it starts. It holds all
//! writes that were answered before. It may also hold writes that wait for their sync: only a power
//! failure within that time, or after a failed sync, can undo what a read has seen. A failed
//! condition is the answer of a write: what it saw is durable.
//!
//! # Transactions that are sent twice
//!
//! `TransactWriteItems` is executed once for each `ClientRequestToken`. The SDK makes a token for
//! every call, and sends it again when it retries after `InternalServerError` or a time-out: by
//! then a conditional transaction may have succeeded, and executing it again would answer that it
//! was cancelled. The tokens of the last ten minutes are kept in memory, the latest 65 536: 16
//! seconds at 4 000 transactions a second, and longer than the SDK retries. They end with the
//! process, as do its clients; one in another process that retries across a restart finds its own
//! transaction by the transaction's conditions. The answer to a repetition has no
//! `ConsumedCapacity`.
//!
//! # Differences from DynamoDB
//!
//! The operations are those of [`Store::execute`]. There are no streams, no throttling and no
//! conflicts between transactions, because there is one writer.
//!
//! | file | what it holds |
//! |---|---|
//! | `store` | the handle: opening, and work on its threads |
//! | `operations` | DynamoDB's operations |
//! | `tokens` | transactions that are sent twice |
//! | `expiry` | removal of expired items |
//! | `writer`, `batch` | the thread that writes; writes that share a transaction |
//! | `log` | syncs and checkpoints |
//! | `readers` | snapshots |
//! | `pool` | threads with a queue |
//! | `file` | connections to the file, and its lock |

mod batch;
mod expiry;
mod file;
mod log;
mod operations;
mod pool;
mod readers;
mod store;
#[cfg(test)]
mod tests;
mod tokens;
mod writer;

pub use dynoxide::DynoxideError;

pub use self::{
    file::OpenError,
    operations::Reply,
    store::{Durability, Store},
};
