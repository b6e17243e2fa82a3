//! Tests of the data that a plan generates.

use std::collections::{HashMap, HashSet};

use once::ledger::{Entry, Kind};
use serde_json::json;

use super::{entries, plan};
use crate::plan::Plan;

#[test]
fn the_same_arguments_give_the_same_transactions_and_other_arguments_give_others() {
    let first = entries(&plan(1_000));
    assert_eq!(entries(&plan(1_000)), first);
    assert_eq!(entries(&plan(1_063))[..1_000], first, "a larger plan starts with the same");

    let ids: HashSet<String> = first.iter().map(|entry| entry.txn_id.clone()).collect();
    assert_eq!(ids.len(), first.len());
    for other in [
        Plan { seed: 8, ..plan(1_000) },
        Plan { merchants: 4, ..plan(1_000) },
        Plan { products: 6, ..plan(1_000) },
        Plan { days: 5, ..plan(1_000) },
        Plan { until: plan(1_000).until.plus(1), ..plan(1_000) },
    ] {
        assert!(entries(&other).iter().all(|entry| !ids.contains(&entry.txn_id)), "{other:?}");
    }
}

/// Expected values computed independently of this crate, from the descriptions in `random.rs` and
/// `plan.rs`. Filled ledgers and stored sums depend on them.
#[test]
fn the_transactions_are_the_same_on_every_machine_and_in_every_release() {
    let entries = entries(&plan(50));
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

/// Expected values computed independently of this crate.
#[test]
fn the_companies_depend_on_number_and_seed_only() {
    let default = Plan::until("2026-11-20".parse().expect("a day"));
    let companies = |plan: &Plan| plan.companies().expect("companies");
    for plan in [
        default.clone(),
        Plan { merchants: 3, ..default.clone() },
        Plan { days: 5, products: 7, ..default.clone() },
    ] {
        let company = |number: usize, employees| {
            let name = format!("Merchant 00{number}");
            json!([format!("merchant_00{number}"), {"name": name, "employees": employees}])
        };
        assert_eq!(
            json!(companies(&plan)[..3]),
            json!([company(1, 164), company(2, 29), company(3, 218)])
        );
    }
    assert_ne!(companies(&Plan { seed: 8, ..default.clone() }), companies(&default));
}

#[test]
fn two_percent_are_reversals_of_earlier_sales_within_the_days() {
    let plan = plan(5_000);
    let mut sales = HashMap::new();
    let mut reversed = HashSet::new();
    let mut on_same_day = 0;
    for entry in entries(&plan) {
        assert!(("2026-11-17".."2026-11-21").contains(&&*entry.recorded_at.date()), "{entry:?}");
        assert_eq!(entry.net_cents, entry.gross_cents - entry.fee_cents);
        if entry.kind == Kind::Sale {
            sales.insert(entry.order_id, entry);
            continue;
        }
        let sale: &Entry = &sales[&entry.order_id];
        assert!(
            entry.recorded_at > sale.recorded_at && reversed.insert(entry.order_id),
            "{entry:?}"
        );
        assert_eq!(entry, sale.clone().reversed(entry.recorded_at));
        on_same_day += usize::from(entry.recorded_at.date() == sale.recorded_at.date());
    }
    assert_eq!((sales.len(), reversed.len()), (4_900, 100));
    assert!((40..90).contains(&on_same_day), "{on_same_day}");
}
