//! Sends webhooks: signed, and to public addresses only.
//!
//! A delivery is one `POST` to an address that a caller chose. It promises:
//!
//! * **No internal address is reached.** The URL ([`WebhookUrl`]), its host and every address of
//!   the host ([`Guard`]) are checked, and the connection uses the checked addresses: the name is
//!   resolved once (`resolve`).
//! * **Receivers can verify the sender and detect repeats.** A delivery is signed according to
//!   Standard Webhooks ([`Secrets`]), under an id that all its attempts share ([`MessageId`]).
//! * **A receiver cannot block the sender.** One timeout covers the whole attempt, redirects are
//!   not followed, and the response body is not read.
//!
//! It does not promise exactly one delivery. A sender that retries after [`Outcome::Retryable`],
//! with the delays of [`crate::sqs::backoff`], delivers at least once.
//!
//! `docs/WEBHOOKS.md` is the page for receivers and operators.
//!
//! | file | what |
//! |---|---|
//! | `url.rs` | which URLs are accepted |
//! | `guard.rs` | which hosts and addresses may be reached |
//! | `resolve.rs` | from a URL to checked addresses |
//! | `signature.rs` | signing and verifying |
//! | `send.rs` | one attempt |
//! | `outcome.rs` | its outcome |
//! | `receiver.rs` | a receiver for tests |

mod guard;
mod outcome;
#[cfg(test)]
pub(crate) mod receiver;
mod resolve;
mod send;
mod signature;
mod url;

pub use guard::{BlockedAddress, Guard, special_purpose};
pub use outcome::{DeliveryError, MAX_RETRY_AFTER, Outcome, PermanentFailure};
pub use resolve::{Dns, Resolve};
pub use send::{Delivery, Webhooks};
pub use signature::{
    InvalidMessageId, InvalidSecrets, InvalidSignature, MessageId, Secrets, SignatureHeaders,
};
pub use url::{InvalidUrl, WebhookUrl};

use crate::{
    aws::Aws,
    env::{VariableError, Variables},
    secret::SecretSource,
};

/// The settings of webhooks: allowed addresses and secrets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The addresses that they may reach.
    pub guard: Guard,
    /// The name or ARN of the secret in Secrets Manager that signs them.
    pub secret_id: String,
}

impl Settings {
    /// Reads `CALLBACK_ALLOW_PRIVATE` and `WEBHOOK_SECRET_ID`.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        let default = "webhook-secret".to_owned();
        Ok(Self {
            guard: Guard { allow_private: variables.local_only("CALLBACK_ALLOW_PRIVATE")? },
            secret_id: variables.parsed("WEBHOOK_SECRET_ID", default)?,
        })
    }

    /// Makes the sender.
    #[must_use]
    pub fn sender(&self, aws: &Aws) -> Webhooks {
        Webhooks::new(self.guard, self.secrets(aws), Webhooks::TIMEOUT)
    }

    /// Makes the source of the secrets.
    #[must_use]
    pub fn secrets(&self, aws: &Aws) -> SecretSource<Secrets> {
        SecretSource::new(aws.secrets_manager(), self.secret_id.clone())
    }
}
