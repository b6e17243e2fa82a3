//! Tests of the features' protocols on the embedded store, and of the files that must agree with
//! the code. One program: tests of all features share its threads, and it is linked once.

#![expect(clippy::disallowed_types, reason = "a test is never frozen")]

mod claim;
mod company;
mod contract;
mod operations;
mod orders;
mod schedule;
mod settlement;
mod template;
mod uniques;

use std::{collections::BTreeSet, fmt::Debug};

/// Asserts that two places have the same entries; the failure names each entry that one lacks.
fn assert_same<T: Ord + Debug>(one: (&str, &BTreeSet<T>), other: (&str, &BTreeSet<T>)) {
    let lacking = |(_, has): (&str, &BTreeSet<T>), (place, lacks): (&str, &BTreeSet<T>)| {
        let missing = has.difference(lacks).map(|entry| format!("{place} lacks {entry:?}"));
        missing.collect::<Vec<_>>()
    };
    let missing = [lacking(one, other), lacking(other, one)].concat();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
