use super::queue::DeclarationError;

/// Why a call to a queue failed. Nothing of it is done, except after [`Error::Store`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No queue was declared with this name.
    #[error("the queue `{0}` does not exist")]
    QueueDoesNotExist(String),
    /// The text is no receipt handle of this queue.
    #[error("the receipt handle `{0}` is not one of this queue")]
    InvalidReceiptHandle(String),
    /// The message is deleted, visible, or delivered again since: its visibility cannot change.
    #[error("the message is not in flight by this receipt handle")]
    MessageNotInFlight,
    /// A message has a character that XML has not.
    #[error("MessageBody: the character {0:?} is not allowed")]
    InvalidMessageContents(char),
    /// A parameter has a value that SQS refuses.
    #[error("{parameter}: {reason}")]
    InvalidParameter {
        /// The parameter, as SQS names it.
        parameter: &'static str,
        /// What its value must be.
        reason: String,
    },
    /// The declarations contradict themselves.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// The store failed. The call may have been done or, if it purges or redrives, a part of it.
    #[error("the store failed")]
    Store(#[from] rusqlite::Error),
}

impl Error {
    pub(super) fn invalid(parameter: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidParameter { parameter, reason: reason.into() }
    }
}
