//! Services of a benchmark of its own, in a folder for temporary files.

use embedded::{
    Services, TemporaryFolder,
    dynamo::{Durability, Store},
    files::Credentials,
};
use once::testing::stack;

/// The services of the template.
pub struct OwnServices {
    pub services: Services,
    _folder: TemporaryFolder,
}

impl OwnServices {
    /// # Panics
    /// If the folder for temporary files cannot be written.
    pub async fn open() -> Self {
        let folder = TemporaryFolder::new().expect("a new folder");
        let store = Store::open(folder.join("db"), Durability::Full).expect("a store");
        let links = Credentials { access_key_id: String::new(), secret_access_key: String::new() };
        let services = Services::open(store, &folder, stack(), links, "http://localhost").await;
        Self { services: services.expect("the template's resources"), _folder: folder }
    }
}
