//! [`Secrets`]: Secrets Manager on one file that only its owner may read.
//!
//! A change is answered when it is on the disk; after a crash the file is the old one or the new
//! one. Each secret has its current version and the previous one. Not covered: encryption, rotation
//! by schedule, deletion and creation of secrets by callers.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    disk::{self, Draft, if_found},
    json_call::{self, Failure},
};

/// What values are generated from. All of it is in the alphabet of base64.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The longest value, in bytes.
const MAX_VALUE_BYTES: usize = 65_536;

/// The start of all ARNs.
const ARN_PREFIX: &str = "arn:aws:secretsmanager:local:000000000000:secret:";

/// The labels of the two versions.
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// The exception about a parameter.
const INVALID: &str = "InvalidParameterException";

/// A secret to generate at the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneratedSecret<'a> {
    /// Its name.
    pub name: &'a str,
    /// The number of its letters and digits, at least 3: `PasswordLength`.
    pub length: usize,
}

/// The secrets of a file. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct Secrets(Arc<SecretFile>);

/// Why the secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Others than the owner may read or write the file.
    #[error("{path}: others may access it (mode {mode:03o}): chmod 600 it and replace its secrets")]
    Exposed {
        /// The path of the file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is not what was written.
    #[error("{path}: invalid content in line {line}")]
    Invalid {
        /// The path of the file.
        path: PathBuf,
        /// The line. What is wrong there could be part of a secret.
        line: usize,
    },
    /// The file cannot be read or written.
    #[error("{path}: {cause}")]
    Disk {
        /// The path of the file.
        path: PathBuf,
        /// What failed.
        #[source]
        cause: io::Error,
    },
}

struct SecretFile {
    path: PathBuf,
    /// Locked while the file is written: what is read from here is on the disk.
    secrets: Mutex<ByName>,
}

type ByName = BTreeMap<String, Secret>;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    current: Version,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Version>,
    created: Timestamp,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    id: String,
    value: String,
    created: Timestamp,
}

impl Secrets {
    /// Reads the secrets of a file. Those to generate that it does not have get random values; the
    /// file is created if it does not exist.
    pub fn open(
        path: &Path,
        generated: &[GeneratedSecret<'_>],
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let disk = |cause| OpenError::Disk { path: path.to_owned(), cause };
        let mut secrets = read(path)?.unwrap_or_default();
        let known = secrets.len();
        for GeneratedSecret { name, length } in generated {
            if !secrets.contains_key(*name) {
                let value = random(*length, has_each_type).map_err(disk)?;
                let id = random(32, |_| true).map_err(disk)?;
                let current = Version { id, value, created: now };
                let secret = Secret { current, previous: None, created: now };
                secrets.insert((*name).to_owned(), secret);
            }
        }
        if secrets.len() > known {
            write(path, &secrets, now).map_err(disk)?;
        }
        Ok(Self(Arc::new(SecretFile { path: path.to_owned(), secrets: Mutex::new(secrets) })))
    }

    /// Returns the current value of the secret with this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        self.0.secrets.lock().get(name).map(|secret| secret.current.value.clone())
    }

    /// Responds to a request of the SDK. The caller is trusted.
    pub async fn respond(&self, request: Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let file = self.0.clone();
        let result = tokio::task::spawn_blocking(move || file.respond(&request, now)).await;
        json_call::response(result.unwrap_or_else(|error| Err(internal(&error))))
    }
}

impl SecretFile {
    fn respond(&self, request: &Request<Bytes>, now: Timestamp) -> Result<Value, Failure> {
        match json_call::operation(request, "secretsmanager") {
            "GetSecretValue" => self.get(&json_call::parameters(request, INVALID)?),
            "PutSecretValue" => self.put(json_call::parameters(request, INVALID)?, now),
            "DescribeSecret" => self.describe(&json_call::parameters(request, INVALID)?),
            operation => Err(Failure::unknown_operation(operation)),
        }
    }

    fn get(&self, get: &GetSecretValue) -> Result<Value, Failure> {
        let secrets = self.secrets.lock();
        let (name, secret) = find(&secrets, &get.secret_id)?;
        let is_wanted = |(stage, version): &(&str, &Version)| {
            get.version_id.as_ref().is_none_or(|id| *id == version.id)
                && match &get.version_stage {
                    Some(wanted) => wanted == stage,
                    None => get.version_id.is_some() || *stage == CURRENT,
                }
        };
        let (stage, version) = secret.versions().find(is_wanted).ok_or_else(|| {
            Failure::new("ResourceNotFoundException", "the secret has no such version")
        })?;
        Ok(json!({
            "ARN": arn(name),
            "Name": name,
            "VersionId": version.id,
            "VersionStages": [stage],
            "SecretString": version.value,
            "CreatedDate": seconds(version.created),
        }))
    }

    /// Makes a value the current one. A call that is repeated with its token changes nothing.
    fn put(&self, put: PutSecretValue, now: Timestamp) -> Result<Value, Failure> {
        if !(1..=MAX_VALUE_BYTES).contains(&put.secret_string.len()) {
            let limit = format!("SecretString: must have 1 to {MAX_VALUE_BYTES} bytes");
            return Err(Failure::new(INVALID, limit));
        }
        let mut secrets = self.secrets.lock();
        let (name, secret) = find(&secrets, &put.secret_id)?;
        let id = put.client_request_token;
        let known = secret.versions().find(|(_, version)| version.id == id);
        let stage = match known {
            Some((stage, version)) if version.value == put.secret_string => stage,
            Some(_) => {
                let reason = "the ClientRequestToken was used with another value";
                return Err(Failure::new("ResourceExistsException", reason));
            }
            None => CURRENT,
        };
        let response = json!({
            "ARN": arn(name), "Name": name, "VersionId": id, "VersionStages": [stage],
        });
        if known.is_none() {
            let name = name.to_owned();
            let current = Version { id, value: put.secret_string, created: now };
            let mut changed = secrets.clone();
            if let Some(secret) = changed.get_mut(&name) {
                secret.previous = Some(std::mem::replace(&mut secret.current, current));
            }
            write(&self.path, &changed, now).map_err(|error| internal(&error))?;
            *secrets = changed;
        }
        Ok(response)
    }

    fn describe(&self, describe: &DescribeSecret) -> Result<Value, Failure> {
        let secrets = self.secrets.lock();
        let (name, secret) = find(&secrets, &describe.secret_id)?;
        let stages = secret.versions().map(|(stage, version)| (version.id.clone(), json!([stage])));
        Ok(json!({
            "ARN": arn(name),
            "Name": name,
            "CreatedDate": seconds(secret.created),
            "LastChangedDate": seconds(secret.current.created),
            "VersionIdsToStages": stages.collect::<serde_json::Map<_, _>>(),
        }))
    }
}

impl Secret {
    /// Returns the versions with their labels.
    fn versions(&self) -> impl Iterator<Item = (&'static str, &Version)> {
        let previous = self.previous.as_ref().map(|version| (PREVIOUS, version));
        [(CURRENT, &self.current)].into_iter().chain(previous)
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretFile").field("path", &self.path).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetSecretValue {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutSecretValue {
    secret_id: String,
    client_request_token: String,
    secret_string: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeSecret {
    secret_id: String,
}

/// Finds a secret by its name or its ARN.
fn find<'a>(secrets: &'a ByName, id: &str) -> Result<(&'a str, &'a Secret), Failure> {
    let found = secrets.get_key_value(id.strip_prefix(ARN_PREFIX).unwrap_or(id));
    let (name, secret) = found.ok_or_else(|| {
        Failure::new("ResourceNotFoundException", format!("the secret {id} does not exist"))
    })?;
    Ok((name, secret))
}

fn arn(name: &str) -> String {
    format!("{ARN_PREFIX}{name}")
}

/// A time as AWS JSON has it.
fn seconds(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

fn internal(cause: &dyn std::error::Error) -> Failure {
    Failure::internal("InternalServiceError", cause)
}

/// Reads a file of secrets. `None`: it does not exist.
fn read(path: &Path) -> Result<Option<ByName>, OpenError> {
    let disk = |cause| OpenError::Disk { path: path.to_owned(), cause };
    let Some(mut file) = if_found(File::open(path)).map_err(disk)? else { return Ok(None) };
    let mode = file.metadata().map_err(disk)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(OpenError::Exposed { path: path.to_owned(), mode });
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(disk)?;
    let secrets = serde_json::from_slice(&content);
    secrets.map(Some).map_err(|error: serde_json::Error| OpenError::Invalid {
        path: path.to_owned(),
        line: error.line(),
    })
}

fn write(path: &Path, secrets: &ByName, now: Timestamp) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(secrets)?;
    text.push(b'\n');
    let mut draft = Draft::create(disk::folder_of(path), now)?;
    draft.file().write_all(&text)?;
    draft.publish(path)
}

/// Returns random letters and digits that a condition accepts.
fn random(length: usize, accepts: impl Fn(&str) -> bool) -> io::Result<String> {
    loop {
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let mut bytes = [0; 64];
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            // 62 of 64 values are used: a remainder would prefer some characters.
            let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
            text.extend(letters.take(length - text.len()).map(|letter| char::from(*letter)));
        }
        if accepts(&text) {
            return Ok(text);
        }
    }
}

/// Returns whether there is a character of each type, as Secrets Manager requires.
fn has_each_type(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    text.len() < 3
        || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests;
