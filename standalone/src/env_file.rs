//! The variables of a process for other programs: `. DATA/env`, then `cargo lambda watch`, the AWS
//! CLI and `once load` use its services and its API.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use embedded::template::LocalNames;

use crate::keys::Keys;

/// Writes the file, which only its owner may access.
pub(crate) fn write(
    path: &Path,
    variables: &BTreeMap<String, String>,
    keys: &Keys,
    url: &str,
    services: SocketAddr,
) -> io::Result<()> {
    let mut text = String::new();
    let endpoint = format!("http://{services}");
    let own = [
        ("API_URL", url),
        ("ONCE_TOKEN", &keys.admin_token),
        ("ONCE_READ_TOKEN", &keys.read_token),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_REGION", LocalNames::REGION),
        ("AWS_DEFAULT_REGION", LocalNames::REGION),
        ("AWS_ACCESS_KEY_ID", &keys.access_key),
        // Required by SDKs, and not verified.
        ("AWS_SECRET_ACCESS_KEY", &keys.access_key),
    ];
    let variables = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in variables.chain(own) {
        let quoted = value.replace('\'', r"'\''");
        let _ = writeln!(text, "export {name}='{quoted}'");
    }
    let draft = path.with_extension("new");
    // A file that is left from a crash has its own permissions.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    fs::rename(draft, path)
}
