//! Queues in a store on disk.

use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{dead, work};
use crate::{
    dynamo::{Durability, Store},
    queues::{Queue, Queues},
};

/// A new folder that is removed with its content when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static FOLDERS: AtomicUsize = AtomicUsize::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("queues-{}-{number}", process::id()));
        fs::create_dir_all(&path).expect("a new folder");
        Self(path)
    }

    /// Opens the store in this folder, with these queues.
    pub async fn open(&self, queues: impl IntoIterator<Item = Queue>) -> Queues {
        let store = Store::open(self.0.join("store"), Durability::Normal).expect("a store");
        Queues::open(store, "http://127.0.0.1:9001", queues).await.expect("queues")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Opens a new store with [`work`] and its dead-letter queue. It lives as long as the folder.
pub async fn start() -> (Folder, Queues) {
    let folder = Folder::new();
    let queues = folder.open([work(), dead()]).await;
    (folder, queues)
}
