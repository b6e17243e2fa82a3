//! The services of one [`Cloud`](super::Cloud), in this process.

use std::{fs, path::Path};

use embedded::{
    Services, TemporaryFolder,
    dynamo::{Durability, Store},
    files::Credentials,
    template::Stack,
};
use tokio::sync::OnceCell;

use super::{
    ACCESS_KEY,
    template::{URL, stack},
};

/// The name of the database.
const DATABASE: &str = "once.db";

/// Opens services with the template's resources, and the folder with their data.
pub(super) async fn open() -> (Services, TemporaryFolder) {
    // Creating the tables takes as long as many calls: it is done once for all tests of a program.
    static TABLES: OnceCell<Vec<u8>> = OnceCell::const_new();
    let create = async || {
        let folder = TemporaryFolder::in_memory().expect("a folder");
        drop(open_in(&folder, stack()).await);
        fs::read(folder.join(DATABASE)).expect("a closed database")
    };
    let tables = TABLES.get_or_init(create).await;

    let folder = TemporaryFolder::in_memory().expect("a folder");
    fs::write(folder.join(DATABASE), tables).expect("a database");
    let others = Stack { tables: Vec::new(), ..stack().clone() };
    (open_in(&folder, &others).await, folder)
}

/// Opens the services of a stack.
async fn open_in(folder: &Path, stack: &Stack) -> Services {
    let store = Store::open(folder.join(DATABASE), Durability::Normal).expect("a database");
    let credentials = Credentials {
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: "secret".to_owned(),
    };
    let opened = Services::open(store, folder, stack, credentials, URL).await;
    opened.expect("the template's resources")
}
