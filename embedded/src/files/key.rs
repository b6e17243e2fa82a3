//! [`Key`]: the name of an object, and the file that holds the object.

use std::{
    ffi::OsStr,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::percent_decode_str;

use super::Error;

/// The longest key, in bytes.
const MAX_BYTES: usize = 1_024;

/// The longest name of a file or folder, in bytes: most file systems allow 255.
const MAX_NAME_BYTES: usize = 240;

/// Ends the name of a folder that holds the rest of a long key.
const FOLDER_MARK: char = '~';

/// A valid key: 1 to 1 024 bytes of UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path of the object's file in the folder of all objects.
    ///
    /// It consists of names of at most 240 bytes in which all but `a`–`z`, `0`–`9`, `-`, `_` and
    /// inner dots is percent-encoded: no key leaves the folder, and different keys have different
    /// files even where the file system does not distinguish case. All but very long keys are one
    /// name.
    pub(super) fn path(&self) -> PathBuf {
        let mut path = PathBuf::new();
        let mut name = String::new();
        for byte in self.0.bytes() {
            if name.len() + "%00".len() > MAX_NAME_BYTES {
                path.push(format!("{name}{FOLDER_MARK}"));
                name.clear();
            }
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
                b'.' if !name.is_empty() => name.push('.'),
                _ => name.push_str(percent_encoding::percent_encode_byte(byte)),
            }
        }
        path.join(name)
    }

    /// Returns the key of the object whose file has this path. `None`: no object has it.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        let names = path.iter().map(OsStr::to_str).collect::<Option<Vec<_>>>()?;
        let encoded: String = names.iter().map(|name| name.trim_end_matches(FOLDER_MARK)).collect();
        let key: Self = percent_decode_str(&encoded).decode_utf8().ok()?.parse().ok()?;
        (key.path() == path).then_some(key)
    }
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.len() {
            0 => Err(Error::InvalidArgument("a key has at least one byte".to_owned())),
            1..=MAX_BYTES => Ok(Self(text.to_owned())),
            _ => Err(Error::KeyTooLong),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, path::Component};

    use super::*;

    fn key(text: &str) -> Key {
        text.parse().expect("a key")
    }

    #[test]
    fn a_key_of_ordinary_length_is_one_readable_name() {
        let key = key("reports/job_0199a3c4/b.csv");
        assert_eq!(key.path(), Path::new("reports%2Fjob_0199a3c4%2Fb.csv"));
    }

    #[test]
    fn a_key_has_1_to_1024_bytes() {
        for bytes in [1, 1_024] {
            assert!("x".repeat(bytes).parse::<Key>().is_ok());
        }
        assert!(matches!("".parse::<Key>(), Err(Error::InvalidArgument(_))));
        assert!(matches!("x".repeat(1_025).parse::<Key>(), Err(Error::KeyTooLong)));
        assert!(matches!("ä".repeat(513).parse::<Key>(), Err(Error::KeyTooLong)));
    }

    #[test]
    fn every_key_has_a_path_of_its_own_that_stays_in_the_folder() {
        let long = |end: &str| format!("{}{end}", "x".repeat(MAX_NAME_BYTES - 2));
        let keys = [
            ".".to_owned(),
            "..".to_owned(),
            "../../etc/passwd".to_owned(),
            "/etc/passwd".to_owned(),
            "//".to_owned(),
            "a".to_owned(),
            "A".to_owned(),
            "a/".to_owned(),
            "a/b".to_owned(),
            "a%2Fb".to_owned(),
            "a%2fb".to_owned(),
            "~1-1".to_owned(),
            "a~".to_owned(),
            "\0\n\\:*".to_owned(),
            "Größe 1".to_owned(),
            "😀".repeat(256),
            "A".repeat(1_024),
            "/".repeat(1_024),
            ".".repeat(1_024),
            long(""),
            long("."),
            long(".."),
            long("../../../../x"),
            long("~"),
        ];
        let mut paths = HashSet::new();
        for key in keys.iter().map(|text| key(text)) {
            let path = key.path();
            assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
            assert!(path.iter().all(|name| name.len() <= MAX_NAME_BYTES + 1), "{path:?}");
            assert!(!path.to_string_lossy().starts_with('~'), "{path:?}");
            assert_eq!(Key::of_path(&path), Some(key));
            assert!(paths.insert(path.to_string_lossy().to_lowercase()), "{path:?}");
        }
    }

    #[test]
    fn a_file_that_no_key_has_is_no_object() {
        for path in ["~1795000000000-0", "A", "%2f", "%61", "a/b", "a~", ".hidden", "%FF", ""] {
            assert_eq!(Key::of_path(Path::new(path)), None, "{path}");
        }
    }
}
