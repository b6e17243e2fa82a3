//! What the arguments stand for.

use std::collections::{HashMap, HashSet};

use clap::Parser;
use once::ledger::{Entry, Kind};
use serde_json::json;

use super::{entries, parsed, plan};
use crate::Arguments;

#[test]
fn the_same_arguments_make_the_same_transactions_and_others_make_others() {
    let first = entries(&plan("1000"));
    assert_eq!(entries(&plan("1000")), first);
    assert_eq!(entries(&plan("1063"))[..1_000], first, "more begin with the same");

    let ids: HashSet<String> = first.iter().map(|entry| entry.txn_id.clone()).collect();
    assert_eq!(ids.len(), first.len());
    for (changed, other) in [("--seed", "8"), ("--merchants", "4"), ("--products", "6"), ("--days", "5")] {
        let changes = [changed, other, "--transactions", "1000"];
        assert!(
            entries(&parsed(&changes).expect("fit arguments").plan).iter().all(|entry| !ids.contains(&entry.txn_id)),
            "{changed}"
        );
    }
}

/// Computed apart from this crate, from what `draw.rs` and `plan.rs` say of themselves. Ledgers that are filled and sums that are
/// kept depend on it.
#[test]
fn the_transactions_are_these_on_every_machine_and_in_every_release() {
    let entries = entries(&plan("50"));
    let sale = json!({
        "txn_id": "6ae897c2-1184-871a-88d5-658392b2896b",
        "kind": "SALE",
        "order_id": "6ae897c2-1184-871a-88d5-658392b2896b",
        "merchant_id": "merchant_003",
        "gross_cents": 47_505,
        "fee_cents": 926,
        "net_cents": 46_579,
        "recorded_at": "2026-11-18T02:58:01.198Z",
    });
    let reversal = json!({
        "txn_id": "114d9fe0-7ec0-88a0-bc19-131c9f42bf34-reversal",
        "kind": "REVERSAL",
        "order_id": "114d9fe0-7ec0-88a0-bc19-131c9f42bf34",
        "merchant_id": "merchant_001",
        "gross_cents": -18_066,
        "fee_cents": -76,
        "net_cents": -17_990,
        "recorded_at": "2026-11-19T20:16:33.134Z",
    });
    assert_eq!(json!([entries[0], entries[49]]), json!([sale, reversal]));
}

#[test]
fn two_percent_are_reversals_of_earlier_sales_within_the_days() {
    let plan = plan("5000");
    let mut sales = HashMap::new();
    let mut reversed = HashSet::new();
    let mut on_the_day = 0;
    for entry in entries(&plan) {
        assert!(("2026-11-17".."2026-11-21").contains(&&*entry.recorded_at.date()), "{entry:?}");
        assert_eq!(entry.net_cents, entry.gross_cents - entry.fee_cents);
        if entry.kind == Kind::Sale {
            sales.insert(entry.order_id, entry);
            continue;
        }
        let sale: &Entry = &sales[&entry.order_id];
        assert!(entry.recorded_at > sale.recorded_at && reversed.insert(entry.order_id), "{entry:?}");
        assert_eq!(entry, sale.clone().reversed(entry.recorded_at));
        on_the_day += usize::from(entry.recorded_at.date() == sale.recorded_at.date());
    }
    assert_eq!((sales.len(), reversed.len()), (4_900, 100));
    assert!((40..90).contains(&on_the_day), "{on_the_day}");
}

#[test]
fn arguments_that_make_no_sense_are_named() {
    for (argument, value) in [
        ("--merchants", "0"),
        ("--merchants", "1000"),
        ("--products", "0"),
        ("--transactions", "0"),
        ("--transactions", "many"),
        ("--days", "0"),
        ("--until", "2026-11-31"),
        ("--until", "tomorrow"),
        ("--seed", "-1"),
        ("--at-once", "0"),
    ] {
        // Given twice is refused, too, so the others are left out here.
        let until = if argument == "--until" { vec![] } else { vec!["--until", "2026-11-20"] };
        let given = ["seed"].into_iter().chain(until);
        let unfit = format!("{argument}={value}");
        let error = Arguments::try_parse_from(given.chain([&*unfit])).expect_err(&unfit).to_string();
        assert!(error.contains(argument) && error.contains(value), "{error}");
    }
    assert!(Arguments::try_parse_from(["seed"]).expect_err("no day").to_string().contains("--until"));
    assert!(parsed(&["--merchants", "999"]).is_ok());
}
