//! Once in one process: its functions behind an HTTP server, without AWS.

pub mod front;
