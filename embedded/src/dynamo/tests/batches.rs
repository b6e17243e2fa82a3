use std::sync::mpsc::{self, Receiver, Sender};

use futures_util::{FutureExt, future::join_all};

use super::*;

/// The syncs of a store, each of which waits until it is released.
struct Syncs {
    started: Receiver<()>,
    release: Sender<()>,
}

impl Syncs {
    /// Opens a store whose syncs wait.
    fn open(folder: &Folder) -> (Store, Self) {
        let (start, started) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let store = Store::open_with(&store_file(folder), |log| {
            Some(Box::new(move || {
                start.send(()).expect("a test");
                released.recv().expect("a test");
                log.sync_data()
            }))
        });
        (store.expect("a store"), Self { started, release })
    }

    fn wait_for_start(&self) {
        self.started.recv().expect("a sync");
    }

    fn release(&self) {
        self.release.send(()).expect("a sync");
    }
}

#[tokio::test]
async fn an_answer_waits_for_the_sync() {
    let folder = Folder::new();
    let (store, syncs) = Syncs::open(&folder);
    let mut write = Box::pin(store.write(|rows| rows.execute_batch("CREATE TABLE rows (n)")));
    assert_eq!((&mut write).now_or_never(), None);
    syncs.wait_for_start();
    assert_eq!((&mut write).now_or_never(), None);
    syncs.release();
    assert_eq!(write.await, Ok(()));
}

#[tokio::test]
async fn the_writes_of_a_burst_share_a_sync() {
    let folder = Folder::new();
    let (store, syncs) = Syncs::open(&folder);
    let create = store.write(|rows| rows.execute_batch("CREATE TABLE rows (n)"));
    let mut create = Box::pin(create);
    assert_eq!((&mut create).now_or_never(), None);
    syncs.wait_for_start();

    let insert = |n| store.write(move |rows| rows.execute("INSERT INTO rows VALUES (?1)", [n]));
    let mut burst: Vec<_> = (0..100).map(|n| Box::pin(insert(n))).collect();
    for write in &mut burst {
        assert_eq!(write.now_or_never(), None);
    }
    for _ in 0..3 {
        syncs.release();
    }
    assert_eq!(create.await, Ok(()));
    assert!(join_all(burst).await.iter().all(|written| *written == Ok(1)));
    // One for the table, one for 64 rows and one for the other 36.
    assert_eq!(syncs.started.try_iter().count(), 2);
}
