//! The border to receivers: every webhook leaves through here, signed, and only to public addresses.
//!
//! A delivery is one `POST` to an address that someone outside chose. What is promised of it:
//!
//! * **It reaches nothing inside.** The URL's text ([`WebhookUrl`]), its host and every address of it ([`Guard`]) are checked,
//!   and the connection goes to the very addresses that were checked: the name is looked up once (`resolve`).
//! * **The receiver can tell who sent it**, and a repeat from something new: it is signed as Standard Webhooks has it
//!   ([`Secrets`]), under an id that its repeats share ([`MessageId`]).
//! * **The receiver cannot hold the sender**: there is one time-out over everything, no redirect is followed, no body is read.
//!
//! Not promised: that it arrives once. Whoever sends again after [`Outcome::Retryable`], as [`crate::sqs::backoff`] says, delivers at least once.
//!
//! `docs/WEBHOOKS.md` tells receivers and operators of it.

mod guard;
mod outcome;
#[cfg(test)]
mod receiver;
mod resolve;
mod secret;
mod send;
mod signature;
mod url;

pub use guard::{BlockedAddress, Guard, special_purpose};
pub use outcome::{DeliveryError, MAX_RETRY_AFTER, Outcome, PermanentFailure};
pub use resolve::{Dns, Resolve};
pub use secret::{SecretError, SecretSource};
pub use send::{Delivery, Webhooks};
pub use signature::{
    InvalidId, InvalidSecrets, InvalidSignature, MessageId, Secrets, SignatureHeaders,
};
pub use url::{InvalidUrl, WebhookUrl};

use crate::{
    aws::Aws,
    env::{VariableError, Variables},
};

/// Where webhooks may go, and what they are signed with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which addresses they may go to.
    pub guard: Guard,
    /// The secrets that sign them; `None`: those of the parameter.
    pub secret: Option<Secrets>,
    /// Name of the parameter of Systems Manager that holds the secrets.
    pub parameter: String,
}

impl Settings {
    /// Reads `CALLBACK_ALLOW_PRIVATE`, `WEBHOOK_SECRET` and `WEBHOOK_SECRET_PARAMETER`.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        let default = "/once/webhook-secret".to_owned();
        Ok(Self {
            guard: Guard { allow_private: variables.local_only("CALLBACK_ALLOW_PRIVATE")? },
            secret: variables.secret("WEBHOOK_SECRET")?,
            parameter: variables.parsed("WEBHOOK_SECRET_PARAMETER", default)?,
        })
    }

    /// Makes the sender.
    #[must_use]
    pub fn sender(&self, aws: &Aws) -> Webhooks {
        Webhooks::new(self.guard, self.secrets(aws), Webhooks::TIMEOUT)
    }

    /// Makes the source of the secrets.
    #[must_use]
    pub fn secrets(&self, aws: &Aws) -> SecretSource {
        match &self.secret {
            Some(secrets) => SecretSource::given(secrets.clone()),
            None => SecretSource::parameter(aws.ssm(), self.parameter.clone()),
        }
    }
}
