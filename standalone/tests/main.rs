//! Tests of the front over real sockets, in the bytes that a client sends and receives.

mod client;
mod cors;
mod events;
mod limits;
mod rates;
mod responses;
mod service;
mod stop;
mod timeouts;
