use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use aws_sdk_dynamodb::{error::ProvideErrorMetadata, operation::put_item::PutItemError};
use bytes::Bytes;

use super::*;

/// A store with the table, and whether its next sync fails.
async fn fallible_store(folder: &Folder) -> (Store, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(false));
    let fail = Arc::clone(&fails);
    let store = Store::open_with(&store_file(folder), |log| {
        Some(Box::new(move || {
            if fail.swap(false, Ordering::Relaxed) {
                return Err(io::Error::other("injected"));
            }
            log.sync_data()
        }))
    });
    let store = store.expect("a store");
    store.create_table(&definition()).await.expect("a table");
    (store, fails)
}

async fn try_put(client: &Client, item: Item) -> Result<(), PutItemError> {
    let put = client.put_item().table_name(TABLE).set_item(Some(item)).send().await;
    put.map(drop).map_err(aws_sdk_dynamodb::error::SdkError::into_service_error)
}

#[tokio::test]
async fn a_write_whose_sync_fails_is_answered_by_a_retryable_error() {
    let folder = Folder::new();
    let (store, fails) = fallible_store(&folder).await;
    let client = client(&store);
    fails.store(true, Ordering::Relaxed);
    let error = try_put(&client, numbered("a", "1", 1)).await.expect_err("no sync");
    assert!(matches!(error, PutItemError::InternalServerError(_)), "{error:?}");
    try_put(&client, numbered("a", "1", 2)).await.expect("a put");
    assert_eq!(get(&client, "a", "1").await, Some(numbered("a", "1", 2)));
}

#[tokio::test]
async fn after_a_failed_sync_the_log_moves_to_the_file_before_the_next_write() {
    let folder = Folder::new();
    let (store, fails) = fallible_store(&folder).await;
    let client = client(&store);
    for n in 0..50 {
        try_put(&client, numbered("a", "1", n)).await.expect("a put");
    }
    let before = log_size(&folder);
    fails.store(true, Ordering::Relaxed);
    try_put(&client, numbered("a", "2", 1)).await.expect_err("no sync");
    assert!(log_size(&folder) > before);
    try_put(&client, numbered("a", "3", 1)).await.expect("a put");
    assert!(log_size(&folder) < before);
}

#[tokio::test]
async fn no_write_is_executed_behind_a_log_that_may_be_damaged() {
    let folder = Folder::new();
    let (store, fails) = fallible_store(&folder).await;
    let client = client(&store);
    // A read that goes on prevents the checkpoint.
    let (start, started) = tokio::sync::oneshot::channel();
    let (end, ended) = mpsc::channel::<()>();
    let reading = store.clone();
    let read = tokio::spawn(async move {
        let read = move |rows: &rusqlite::Connection| {
            rows.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            start.send(()).expect("a test");
            ended.recv().expect("a test");
            Ok(())
        };
        reading.read(read).await
    });
    started.await.expect("a snapshot");
    fails.store(true, Ordering::Relaxed);
    try_put(&client, numbered("a", "1", 1)).await.expect_err("no sync");
    try_put(&client, numbered("a", "2", 1)).await.expect_err("no checkpoint");
    end.send(()).expect("a read");
    read.await.expect("no panic").expect("a read");
    try_put(&client, numbered("a", "3", 1)).await.expect("a put");
    assert_eq!(get(&client, "a", "2").await, None);
}

#[tokio::test]
async fn a_transaction_whose_sync_failed_succeeds_when_it_is_sent_again() {
    let folder = Folder::new();
    let (store, fails) = fallible_store(&folder).await;
    let request = json!({
        "ClientRequestToken": "token",
        "TransactItems": [{ "Put": {
            "TableName": TABLE,
            "Item": { "pk": { "S": "a" }, "sk": { "S": "1" } },
            "ConditionExpression": "attribute_not_exists(pk)",
        } }],
    });
    let request = Bytes::from(request.to_string());
    fails.store(true, Ordering::Relaxed);
    assert_eq!(store.execute("TransactWriteItems", request.clone()).await.status, 500);
    assert_eq!(store.execute("TransactWriteItems", request.clone()).await.status, 200);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_loses_nothing() {
    let (_folder, store, client) = new_client().await;
    put(&client, numbered("a", "1", 1)).await;
    let limit = |pages: i64| {
        move |rows: &rusqlite::Connection| {
            rows.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        }
    };
    store.write(limit(1)).await.expect("a limit");
    let mut large = numbered("a", "2", 1);
    large.insert("text".into(), text("x".repeat(100_000)));
    let error = try_put(&client, large.clone()).await.expect_err("a full disk");
    assert!(matches!(error, PutItemError::InternalServerError(_)), "{error:?}");
    assert!(error.message().expect("a message").contains("full"), "{error:?}");
    assert_eq!(get(&client, "a", "1").await, Some(numbered("a", "1", 1)));
    assert_eq!(get(&client, "a", "2").await, None);
    store.write(limit(1_000_000)).await.expect("a limit");
    put(&client, large).await;
}

#[tokio::test]
async fn an_error_or_a_panic_rolls_the_rows_of_a_write_back() {
    let (_folder, store, _client) = new_client().await;
    let create = store.write(|rows| rows.execute_batch("CREATE TABLE rows (n)"));
    create.await.expect("a table");
    let insert = |rows: &rusqlite::Connection| rows.execute("INSERT INTO rows VALUES (1)", []);
    let error = store.write(move |rows| {
        insert(rows)?;
        rows.execute_batch("no SQL")
    });
    error.await.expect_err("an error");
    let panic = store.write(move |rows| -> rusqlite::Result<()> {
        insert(rows)?;
        panic!("injected")
    });
    panic.await.expect_err("a panic");
    store.write(insert).await.expect("a row");
    let count =
        store.read(|rows| rows.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)));
    assert_eq!(count.await, Ok(1));
}

/// Lets `first` and `second` share a batch, in this order, with a write that waits for them.
async fn in_one_batch<A, B>(
    store: &Store,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let (release, released) = mpsc::channel::<()>();
    let held = store.write(move |_| {
        released.recv().expect("a test");
        Ok(())
    });
    let release = async {
        tokio::task::yield_now().await;
        release.send(()).expect("a writer");
    };
    let (_, first, second, ()) = tokio::join!(biased; held, first, second, release);
    (first, second)
}

#[tokio::test]
async fn a_write_that_fails_takes_no_other_of_its_batch_with_it() {
    let (_folder, store, _client) = new_client().await;
    store.write(|rows| rows.execute_batch("CREATE TABLE rows (n)")).await.expect("a table");
    let insert = |n: i64| {
        move |rows: &rusqlite::Connection| rows.execute("INSERT INTO rows VALUES (?1)", [n])
    };
    let fails = store.write(move |rows| {
        insert(1)(rows)?;
        rows.execute("no SQL", [])
    });
    let (failed, written) = in_one_batch(&store, fails, store.write(insert(2))).await;
    failed.expect_err("an error");
    written.expect("a row");
    let rows = store.read(|rows| rows.query_row("SELECT sum(n) FROM rows", [], |row| row.get(0)));
    assert_eq!(rows.await, Ok(2));
}

#[tokio::test]
async fn a_transaction_of_a_batch_that_was_rolled_back_is_executed_when_it_is_sent_again() {
    let (_folder, store, client) = new_client().await;
    let request = json!({
        "ClientRequestToken": "token",
        "TransactItems": [{ "Put": {
            "TableName": TABLE,
            "Item": { "pk": { "S": "a" }, "sk": { "S": "1" }, "n": { "N": "1" } },
        } }],
    });
    let request = Bytes::from(request.to_string());
    // As SQLite does when the disk is full.
    let full = store.write(|rows| {
        rows.execute_batch("ROLLBACK TO batch; RELEASE batch")?;
        Err::<(), _>(rusqlite::Error::InvalidQuery)
    });
    let transact = store.execute("TransactWriteItems", request.clone());
    let (reply, full) = in_one_batch(&store, transact, full).await;
    full.expect_err("a full disk");
    assert_eq!(reply.status, 500);
    assert_eq!(get(&client, "a", "1").await, None);
    assert_eq!(store.execute("TransactWriteItems", request).await.status, 200);
    assert_eq!(get(&client, "a", "1").await, Some(numbered("a", "1", 1)));
}

#[tokio::test]
async fn a_read_cannot_write_and_a_panic_does_not_end_its_thread() {
    let (_folder, store, _client) = new_client().await;
    let write = store.read(|rows| rows.execute_batch("CREATE TABLE rows (n)"));
    write.await.expect_err("a read only connection");
    for _ in 0..4 {
        let panic = store.read(|_| -> rusqlite::Result<()> { panic!("injected") });
        panic.await.expect_err("a panic");
    }
    store.read(|_| Ok(())).await.expect("a read");
}
