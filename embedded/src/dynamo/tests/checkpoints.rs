use super::*;

async fn write_rows(store: &Store, rows: u32) {
    for n in 0..rows {
        let insert =
            move |rows: &rusqlite::Connection| rows.execute("INSERT INTO rows VALUES (?1)", [n]);
        store.write(insert).await.expect("a row");
    }
}

#[tokio::test]
async fn the_log_is_written_from_its_start_again_after_a_checkpoint() {
    let folder = Folder::new();
    let store = Store::open(store_file(&folder), Durability::Normal).expect("a store");
    let create = store.write(|rows| rows.execute_batch("CREATE TABLE rows (n)"));
    create.await.expect("a table");
    write_rows(&store, 998).await;
    let before = log_size(&folder);
    write_rows(&store, 1_500).await;
    assert!(log_size(&folder) < before + before / 10);
}
