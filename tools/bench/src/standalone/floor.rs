//! The floor: the same put of an id, by the SDK's client to a store of its own in this process.

use std::{
    env, fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use embedded::{
    Services,
    dynamo::{Durability, Store},
    files::{self, Credentials, Files},
    queues::Queues,
    secrets::Secrets,
    stream::{self, Stream},
};
use futures_util::future::join_all;
use once::{
    testing::{Template, client_over},
    time::Timestamp,
};

use super::{ROUND, print};
use crate::uniques::BarePut;

/// A store with the template's tables.
pub struct Floor {
    put: BarePut,
    sent: AtomicI64,
    folder: PathBuf,
}

impl Floor {
    /// # Panics
    /// If the folder for temporary files cannot be written.
    pub async fn open() -> Self {
        let folder = env::temp_dir().join(format!("floor-{:016x}", fastrand::u64(..)));
        fs::create_dir(&folder).expect("a new folder");
        let store = Store::open(folder.join("db"), Durability::Full).expect("a store");
        for request in Template::load().create_table_requests(str::to_owned) {
            store.create_table(&request).await.expect("a table");
        }
        let links = Credentials { access_key_id: String::new(), secret_access_key: String::new() };
        let files =
            files::Settings { bucket: "none".to_owned(), max_content_bytes: 0, credentials: links };
        let stream =
            stream::Settings { name: "none".to_owned(), max_file_bytes: 1 << 20, max_files: 1 };
        let now = Timestamp::now().to_string().parse().expect("a time");
        let services = Services {
            queues: Arc::new(Queues::open(store.clone(), "", []).await.expect("no queues")),
            stream: Stream::open(&folder.join("stream"), stream).expect("a stream"),
            files: Files::open(&folder.join("files"), files).expect("files"),
            secrets: Secrets::open(&folder.join("secrets"), &[], now).expect("secrets"),
            store,
        };
        let put = BarePut::to(&client_over(services));
        Self { put, sent: AtomicI64::new(0), folder }
    }

    /// Puts ids for [`ROUND`] and prints their rate.
    pub async fn rate(&self, clients: usize) {
        let start = Instant::now();
        let client = async || {
            let mut times = Vec::new();
            while start.elapsed() < ROUND {
                let began = Instant::now();
                self.put.send(self.sent.fetch_add(1, Ordering::Relaxed)).await;
                times.push(began.elapsed());
            }
            times
        };
        let times = join_all((0..clients).map(|_| client())).await;
        let took = start.elapsed();
        print("floor: bare puts", clients, took, times.into_iter().flatten().collect(), None);
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}
