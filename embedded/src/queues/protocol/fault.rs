//! Errors, as SQS's JSON protocol has them.

use serde_json::{Value, json};

use super::Response;
use crate::queues::Error;

/// The answer to a call that failed.
#[derive(Debug)]
pub(super) struct Fault {
    kind: Kind,
    message: String,
}

/// What SDKs tell errors apart by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InternalFailure,
    InvalidAttributeName,
    InvalidBatchEntryId,
    InvalidMessageContents,
    InvalidParameterValue,
    MessageNotInflight,
    QueueDoesNotExist,
    ReceiptHandleIsInvalid,
    ResourceNotFound,
    TooManyEntriesInBatchRequest,
    UnsupportedOperation,
}

impl Kind {
    /// Returns the name of the error in the body.
    fn name(self) -> &'static str {
        match self {
            Self::BatchEntryIdsNotDistinct => "BatchEntryIdsNotDistinct",
            Self::BatchRequestTooLong => "BatchRequestTooLong",
            Self::EmptyBatchRequest => "EmptyBatchRequest",
            Self::InternalFailure => "InternalFailure",
            Self::InvalidAttributeName => "InvalidAttributeName",
            Self::InvalidBatchEntryId => "InvalidBatchEntryId",
            Self::InvalidMessageContents => "InvalidMessageContents",
            Self::InvalidParameterValue => "InvalidParameterValue",
            Self::MessageNotInflight => "MessageNotInflight",
            Self::QueueDoesNotExist => "QueueDoesNotExist",
            Self::ReceiptHandleIsInvalid => "ReceiptHandleIsInvalid",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::TooManyEntriesInBatchRequest => "TooManyEntriesInBatchRequest",
            Self::UnsupportedOperation => "UnsupportedOperation",
        }
    }

    /// Returns the code of the error in the header and in batches: that of SQS's older protocol.
    fn code(self) -> String {
        match self {
            Self::QueueDoesNotExist => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
            Self::BatchEntryIdsNotDistinct
            | Self::BatchRequestTooLong
            | Self::EmptyBatchRequest
            | Self::InvalidBatchEntryId
            | Self::MessageNotInflight
            | Self::TooManyEntriesInBatchRequest
            | Self::UnsupportedOperation => format!("AWS.SimpleQueueService.{}", self.name()),
            Self::InternalFailure
            | Self::InvalidAttributeName
            | Self::InvalidMessageContents
            | Self::InvalidParameterValue
            | Self::ReceiptHandleIsInvalid
            | Self::ResourceNotFound => self.name().to_owned(),
        }
    }

    /// Returns whether the caller is to change the call, or may repeat it as it is.
    fn is_senders(self) -> bool {
        !matches!(self, Self::InternalFailure)
    }
}

impl Fault {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Returns the failed entry of a batch.
    pub(super) fn entry(&self, id: &str) -> Value {
        json!({
            "Id": id,
            "Code": self.kind.code(),
            "Message": self.message,
            "SenderFault": self.kind.is_senders(),
        })
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::QueueDoesNotExist(_) => Kind::QueueDoesNotExist,
            Error::InvalidReceiptHandle(_) => Kind::ReceiptHandleIsInvalid,
            Error::MessageNotInFlight => Kind::MessageNotInflight,
            Error::InvalidMessageContents(_) => Kind::InvalidMessageContents,
            Error::InvalidParameter { .. } => Kind::InvalidParameterValue,
            Error::Declaration(_) => Kind::InternalFailure,
            Error::Store(cause) => {
                return Self::new(Kind::InternalFailure, format!("{error}: {cause}"));
            }
        };
        Self::new(kind, error.to_string())
    }
}

impl From<Fault> for Response {
    fn from(Fault { kind, message }: Fault) -> Self {
        let name = format!("com.amazonaws.sqs#{}", kind.name());
        let (status, side) = if kind.is_senders() { (400, "Sender") } else { (500, "Receiver") };
        Self {
            status,
            query_error: Some(format!("{};{side}", kind.code())),
            body: json!({"__type": name, "message": message}),
            long_poll: None,
        }
    }
}
