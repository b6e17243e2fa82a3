//! Services of AWS inside the process, with all of their data in one folder.
//!
//! The SDK's clients reach them without a socket. Nothing here knows the program that it serves.

mod disk;
pub mod dynamo;
pub mod files;
mod json_call;
pub mod queues;
pub mod secrets;
pub mod stream;
#[cfg(test)]
mod testing;
