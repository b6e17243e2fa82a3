//! Why a template cannot be used.

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The text is not YAML.
    #[error("invalid YAML: {0}")]
    Syntax(Box<serde_saphyr::Error>),
    /// The value of a parameter is missing or not allowed, or its name is unknown.
    #[error("parameter `{name}`: {reason}")]
    Parameter {
        /// The name of the parameter.
        name: String,
        /// What is wrong, without the value: it may be a secret.
        reason: String,
    },
    /// The template has something that is invalid or that the reader does not know.
    #[error("{place}: {reason}")]
    Content {
        /// Where, such as `Resources.Orders.Properties.KeySchema[0]`.
        place: String,
        /// What is wrong.
        reason: String,
    },
}
