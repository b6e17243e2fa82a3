//! The keys of a process, made at its first start.

use std::path::Path;

use embedded::{
    files::Credentials,
    secrets::{GeneratedSecret, OpenError, Secrets},
};
use jiff::Timestamp;

/// The name is from the time when a process had one token, which clients of its data still have.
const ADMIN_TOKEN: GeneratedSecret<'_> = GeneratedSecret { name: "access-token", length: 43 };
const READ_TOKEN: GeneratedSecret<'_> = GeneratedSecret { name: "read-token", length: 43 };
const ACCESS_KEY: GeneratedSecret<'_> = GeneratedSecret { name: "access-key", length: 40 };
const LINK_KEY_ID: GeneratedSecret<'_> = GeneratedSecret { name: "link-key-id", length: 20 };
const LINK_KEY: GeneratedSecret<'_> = GeneratedSecret { name: "link-key", length: 40 };

/// What callers of the process must know.
#[derive(Clone)]
pub(crate) struct Keys {
    /// The bearer token of the API that may do everything.
    pub(crate) admin_token: String,
    /// The bearer token of the API that may look at everything.
    pub(crate) read_token: String,
    /// The access key of the services for other processes.
    pub(crate) access_key: String,
    /// What the process signs links with. A link shows its id, so it is no access key.
    pub(crate) links: Credentials,
}

impl Keys {
    /// Reads the keys of a file that only its owner may access, or creates it. Keys that the file
    /// does not have are added.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let generated = [ADMIN_TOKEN, READ_TOKEN, ACCESS_KEY, LINK_KEY_ID, LINK_KEY];
        let secrets = Secrets::open(path, &generated, Timestamp::now())?;
        let value = |secret: GeneratedSecret<'_>| secrets.value(secret.name).unwrap_or_default();
        Ok(Self {
            admin_token: value(ADMIN_TOKEN),
            read_token: value(READ_TOKEN),
            access_key: value(ACCESS_KEY),
            links: Credentials {
                access_key_id: value(LINK_KEY_ID),
                secret_access_key: value(LINK_KEY),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_of_one_token_gets_the_other_and_keeps_the_first_as_that_of_admins() {
        let folder = std::env::temp_dir().join(format!("keys-{:032x}", fastrand::u128(..)));
        fs::create_dir(&folder).expect("a new folder");
        let path = folder.join("keys.json");
        let before = [ACCESS_KEY, LINK_KEY_ID, LINK_KEY, ADMIN_TOKEN];
        let before = Secrets::open(&path, &before, Timestamp::now()).expect("a new file");
        let keys = Keys::open(&path).expect("an old file");
        assert_eq!(Some(&keys.admin_token), before.value("access-token").as_ref());
        assert!(keys.read_token.len() == 43 && keys.read_token != keys.admin_token);
        let again = Keys::open(&path).expect("the file");
        assert_eq!((again.admin_token, again.read_token), (keys.admin_token, keys.read_token));
        fs::remove_dir_all(folder).expect("removed");
    }
}
