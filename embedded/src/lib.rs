//! Services of AWS inside the process, with all of their data in one folder.
//!
//! The SDK's clients of the process reach them without a socket ([`Services`]), those of other
//! processes by an address of the machine ([`Endpoint`]). Nothing here knows the program that it
//! serves.

mod connector;
mod disk;
pub mod dynamo;
pub mod endpoint;
pub mod files;
mod folder;
mod json_call;
pub mod queues;
pub mod secrets;
pub mod services;
pub mod stream;
pub mod template;
#[cfg(test)]
mod testing;
mod xml;

pub use endpoint::Endpoint;
pub use folder::TemporaryFolder;
pub use services::Services;
