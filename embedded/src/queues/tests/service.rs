//! Queues in a store on disk.

use super::{dead, work};
use crate::{
    dynamo::{Durability, Store},
    queues::{Queue, Queues},
    testing::Folder,
};

/// Opens the store in a folder, with these queues.
pub async fn open(folder: &Folder, queues: impl IntoIterator<Item = Queue>) -> Queues {
    let store = Store::open(folder.join("store"), Durability::Normal).expect("a store");
    Queues::open(store, "http://127.0.0.1:9001", queues).await.expect("queues")
}

/// Opens a new store with [`work`] and its dead-letter queue. It lives as long as the folder.
pub async fn start() -> (Folder, Queues) {
    let folder = Folder::new();
    let queues = open(&folder, [work(), dead()]).await;
    (folder, queues)
}
