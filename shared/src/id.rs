//! Ids that say what they name: `job_<uuid>`, `scheduled_job_<uuid>`.

/// Defines a type of ids with a prefix, `<prefix>_<uuid>`. Only one spelling is accepted: lower
/// case, with hyphens.
macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $error:ident, $prefix:literal, $message:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
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

        #[doc = concat!("A text that is not `", $prefix, "_<uuid>`.")]
        #[derive(Debug, thiserror::Error, PartialEq, Eq)]
        #[error($message)]
        pub struct $error;

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                let uuid = text.strip_prefix(concat!($prefix, "_")).ok_or($error)?;
                let uuid = uuid.parse().map_err(|_| $error)?;
                (Self(uuid).to_string() == text).then_some(Self(uuid)).ok_or($error)
            }
        }

        $crate::validated::string_conversions!($name);
    };
}

pub(crate) use prefixed_id;
