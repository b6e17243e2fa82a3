//! Services of a benchmark of its own, in a folder for temporary files.

use std::{env, fs, path::PathBuf, sync::Arc};

use embedded::{
    Services,
    dynamo::{Durability, Store},
    files::{self, Credentials, Files},
    queues::Queues,
    secrets::{GeneratedSecret, Secrets},
    stream::{self, Stream},
};
use once::{testing::Template, time::Timestamp};

/// The default of `ORDER_SECRET_ID`.
const ORDER_SECRET: GeneratedSecret<'_> = GeneratedSecret { name: "order-secret", length: 64 };

/// A store with the template's tables, and the secret of the tokens of orders.
pub struct OwnServices {
    pub services: Services,
    folder: PathBuf,
}

impl OwnServices {
    /// # Panics
    /// If the folder for temporary files cannot be written.
    pub async fn open() -> Self {
        let folder = env::temp_dir().join(format!("bench-{:016x}", fastrand::u64(..)));
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
        let secrets = Secrets::open(&folder.join("secrets"), &[ORDER_SECRET], now);
        let services = Services {
            queues: Arc::new(Queues::open(store.clone(), "", []).await.expect("no queues")),
            stream: Stream::open(&folder.join("stream"), stream).expect("a stream"),
            files: Files::open(&folder.join("files"), files).expect("files"),
            secrets: secrets.expect("secrets"),
            store,
        };
        Self { services, folder }
    }
}

impl Drop for OwnServices {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}
