//! Tests of the features' protocols on the embedded store, and of the files that must agree with
//! the code. One program: tests of all features share its threads, and it is linked once.

mod claim;
mod company;
mod contract;
mod operations;
mod orders;
mod schedule;
mod settlement;
mod template;
mod uniques;
