//! Ids that tell what they name: `job_<uuid>`, `scheduled_job_<uuid>`.

/// A type for ids that begin with a prefix, `$prefix_<uuid>`, in one spelling: small letters, with hyphens.
macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $unfit:ident, $prefix:literal, $problem:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(uuid::Uuid);

        impl From<uuid::Uuid> for $name {
            fn from(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }

        #[doc = concat!("A text that is no `", $prefix, "_<uuid>`.")]
        #[derive(Debug, thiserror::Error, PartialEq, Eq)]
        #[error($problem)]
        pub struct $unfit;

        impl std::str::FromStr for $name {
            type Err = $unfit;

            fn from_str(text: &str) -> Result<Self, $unfit> {
                let uuid = text.strip_prefix(concat!($prefix, "_")).ok_or($unfit)?.parse().map_err(|_| $unfit)?;
                (Self(uuid).to_string() == text).then_some(Self(uuid)).ok_or($unfit)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $unfit;

            fn try_from(text: String) -> Result<Self, $unfit> {
                text.parse()
            }
        }
    };
}

pub(crate) use prefixed_id;
