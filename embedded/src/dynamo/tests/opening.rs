use std::fs::OpenOptions;

use super::*;

fn refusal(path: &Path) -> String {
    let error = Store::open(path, Durability::Full).expect_err("no store").to_string();
    assert!(error.contains(&path.display().to_string()), "{error}");
    error
}

#[tokio::test]
async fn a_store_that_is_opened_again_has_everything() {
    let (folder, store, sdk) = new_client().await;
    put(&sdk, numbered("a", "1", 1)).await;
    store.write(|rows| rows.execute_batch("CREATE TABLE rows (n)")).await.expect("a table");
    drop((store, sdk));
    let store = Store::open(store_file(&folder), Durability::Normal).expect("the store");
    assert_eq!(get(&client(&store), "a", "1").await, Some(numbered("a", "1", 1)));
    let count =
        store.read(|rows| rows.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)));
    assert_eq!(count.await, Ok(0));
}

#[tokio::test]
async fn dropping_the_last_handle_finishes_queued_writes_and_empties_the_log() {
    let (folder, store, client) = new_client().await;
    drop(client);
    for n in 0..100 {
        let write = store.write(move |rows| {
            rows.execute_batch("CREATE TABLE IF NOT EXISTS rows (n)")?;
            rows.execute("INSERT INTO rows VALUES (?1)", [n])
        });
        // Polled once, the write is queued.
        drop(futures_util::FutureExt::now_or_never(write));
    }
    drop(store);
    assert!(!folder.join("store.db-wal").exists());
    let store = Store::open(store_file(&folder), Durability::Full).expect("the store");
    let count =
        store.read(|rows| rows.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)));
    assert_eq!(count.await, Ok(100));
}

#[test]
fn a_store_that_is_open_is_refused_until_it_is_dropped() {
    let folder = Folder::new();
    let store = Store::open(store_file(&folder), Durability::Full).expect("a store");
    let handle = store.clone();
    drop(store);
    let error = refusal(&store_file(&folder));
    assert!(error.contains("it is open already"), "{error}");
    drop(handle);
    Store::open(store_file(&folder), Durability::Full).expect("the store");
}

#[test]
fn a_file_in_a_missing_folder_is_refused_by_name() {
    let folder = Folder::new();
    let error = refusal(&folder.join("missing").join("store.db"));
    assert!(error.contains("No such file or directory"), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name_and_left_alone() {
    let folder = Folder::new();
    fs::write(store_file(&folder), [b'x'; 8_192]).expect("a file");
    let error = refusal(&store_file(&folder));
    assert!(error.contains("file is not a database"), "{error}");
    assert_eq!(fs::read(store_file(&folder)).expect("the file"), [b'x'; 8_192]);
}

#[tokio::test]
async fn a_file_that_lost_its_end_is_refused_by_name() {
    let (folder, store, client) = new_client().await;
    drop((store, client));
    let file = OpenOptions::new().write(true).open(store_file(&folder)).expect("the file");
    let size = file.metadata().expect("a size").len();
    file.set_len(size / 2).expect("a shorter file");
    let error = refusal(&store_file(&folder));
    assert!(error.contains("database disk image is malformed"), "{error}");
}
