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
//! Not promised: that it arrives once. Whoever sends again after [`Outcome::Later`], as [`crate::sqs::pause`] says, delivers at least once.
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

pub use guard::{Guard, Refused, special_purpose};
pub use outcome::{Cause, Final, MAX_RETRY_AFTER, Outcome};
pub use resolve::{Dns, Resolve};
pub use secret::{SecretError, SecretSource};
pub use send::{Delivery, Webhooks};
pub use signature::{MessageId, NotGenuine, Secrets, Signed, UnfitId, UnfitSecrets};
pub use url::{UnfitUrl, WebhookUrl};
