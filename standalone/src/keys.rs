//! The keys of a process, made at its first start.

use std::path::Path;

use embedded::{
    files::Credentials,
    secrets::{GeneratedSecret, OpenError, Secrets},
};
use jiff::Timestamp;

const ACCESS_TOKEN: GeneratedSecret<'_> = GeneratedSecret { name: "access-token", length: 43 };
const ACCESS_KEY: GeneratedSecret<'_> = GeneratedSecret { name: "access-key", length: 40 };
const LINK_KEY_ID: GeneratedSecret<'_> = GeneratedSecret { name: "link-key-id", length: 20 };
const LINK_KEY: GeneratedSecret<'_> = GeneratedSecret { name: "link-key", length: 40 };

/// What callers of the process must know.
#[derive(Clone)]
pub(crate) struct Keys {
    /// The bearer token of the API.
    pub(crate) access_token: String,
    /// The access key of the services for other processes.
    pub(crate) access_key: String,
    /// What the process signs links with. A link shows its id, so it is no access key.
    pub(crate) links: Credentials,
}

impl Keys {
    /// Reads the keys of a file that only its owner may access, or creates it.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let generated = [ACCESS_TOKEN, ACCESS_KEY, LINK_KEY_ID, LINK_KEY];
        let secrets = Secrets::open(path, &generated, Timestamp::now())?;
        let value = |secret: GeneratedSecret<'_>| secrets.value(secret.name).unwrap_or_default();
        Ok(Self {
            access_token: value(ACCESS_TOKEN),
            access_key: value(ACCESS_KEY),
            links: Credentials {
                access_key_id: value(LINK_KEY_ID),
                secret_access_key: value(LINK_KEY),
            },
        })
    }
}
