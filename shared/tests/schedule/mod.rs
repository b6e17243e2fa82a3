//! Tests of scheduled jobs: an occurrence fires once, at its time.

mod bodies;
mod brute;
mod chaos;
mod clockwork;
mod costs;
mod crashes;
mod edits;
mod oracle;
mod overlapping;
mod ticking;
mod year;
