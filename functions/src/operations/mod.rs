//! Handlers of health, metrics, the contract, and requests that no route matches.

pub mod health;
pub mod metrics;
pub mod openapi;
pub mod route_unknown;
