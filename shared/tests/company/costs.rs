//! What each operation costs: `docs/COSTS.md` states these numbers.

use once::{
    company::{CacheStatus, Kind},
    ledger::Entry,
    testing::{LEDGER_TABLE, cost},
};
use uuid::Uuid;

use crate::company::{COMPANY, QUERIES, ask, asked, at, begin, compute, new_instance, put, sent};

fn calls(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test]
async fn a_request_that_finds_its_figures_costs_a_read_or_nothing() {
    let cloud = begin().await;
    let instance = new_instance(&cloud);
    for kind in crate::company::KINDS {
        compute(&new_instance(&cloud), &asked(&cloud, kind, at(0)).await, at(0)).await;
        assert_eq!(ask(&instance, kind, at(1)).await.expect("figures").status, CacheStatus::Hit);
        assert_eq!(instance.transport.take_cost(), (calls(&["GetItem"]), 0.0, 1.0), "{kind:?}");
        assert_eq!(ask(&instance, kind, at(2)).await.expect("figures").status, CacheStatus::Hit);
        assert_eq!(instance.transport.take_cost(), (calls(&[]), 0.0, 0.0), "{kind:?} from memory");
    }
}

#[tokio::test]
async fn a_request_that_asks_for_the_work_costs_four_calls_and_its_looks() {
    let cloud = begin().await;
    let instance = new_instance(&cloud);
    let joined = new_instance(&cloud);
    let worker = new_instance(&cloud);
    let working = async {
        let messages = sent(&cloud, 1).await;
        let joining = async { ask(&joined, Kind::Sales, at(0)).await.expect("figures") };
        let (joined, ()) =
            futures_util::future::join(joining, compute(&worker, &messages[0], at(0))).await;
        joined
    };
    let (asked, other) =
        futures_util::future::join(ask(&instance, Kind::Sales, at(0)), working).await;
    assert_eq!(
        (asked.expect("figures").status, other.status),
        (CacheStatus::Miss, CacheStatus::Collapsed)
    );
    let sent = instance.transport.take_sent();
    let (protected, looking) = sent.split_at(4);
    assert_eq!(
        cost(protected),
        (calls(&["GetItem", "GetItem", "UpdateItem", "SendMessageBatch"]), 1.0, 2.0)
    );
    for looking in [looking, &joined.transport.take_sent()] {
        assert!(!looking.is_empty());
        assert!(
            looking
                .iter()
                .all(|look| look.operation == "GetItem" && (look.read_units - 1.0).abs() < 0.01)
        );
    }
}

#[tokio::test]
async fn a_worker_reads_a_month_once_for_all_kinds() {
    let cloud = begin().await;
    let messages =
        [asked(&cloud, Kind::Sales, at(0)).await, asked(&cloud, Kind::Financials, at(0)).await];
    let worker = new_instance(&cloud);
    compute(&worker, &messages[0], at(0)).await;
    let whole = [
        vec!["UpdateItem", "GetItem", "GetItem", "UpdateItem"],
        vec!["Query"; QUERIES],
        vec!["UpdateItem"; 2],
    ];
    let ledger = 240.0 * 0.5;
    assert_eq!(
        worker.transport.take_cost(),
        (calls(&whole.concat()), 1.0 + 1.0 + 4.0 + 1.0, 2.0 + ledger),
        "the base has 4 KB"
    );
    compute(&worker, &messages[1], at(0)).await;
    let found = ["UpdateItem", "GetItem", "GetItem", "UpdateItem"];
    assert_eq!(
        worker.transport.take_cost(),
        (calls(&found), 1.0 + 3.0, 1.0 + 1.0),
        "the base is there"
    );
    compute(&worker, &messages[1], at(1)).await;
    assert_eq!(
        worker.transport.take_cost(),
        (calls(&["UpdateItem"]), 0.0, 0.0),
        "a message that comes again"
    );
}

#[tokio::test]
async fn a_company_of_larger_sums_costs_a_unit_more() {
    let cloud = begin().await;
    for day in 0..30 {
        let sale = Entry::sale(
            Uuid::from_u128(1),
            COMPANY,
            123_456_789_012_345,
            3_580_246_881_358,
            at(-day * 24 * 3_600),
        );
        let put = cloud.client().put_item().table_name(LEDGER_TABLE);
        put.set_item(Some(sale.item().expect("an item"))).send().await.expect("recorded");
    }
    let messages =
        [asked(&cloud, Kind::Sales, at(0)).await, asked(&cloud, Kind::Financials, at(0)).await];
    let worker = new_instance(&cloud);
    compute(&worker, &messages[0], at(0)).await;
    let (_, writes, reads) = worker.transport.take_cost();
    assert_eq!(
        (writes, reads),
        (1.0 + 1.0 + 5.0 + 1.0, 2.0 + 120.0),
        "the base has more than 4 KB"
    );
    compute(&worker, &messages[1], at(0)).await;
    let (_, writes, reads) = worker.transport.take_cost();
    assert_eq!((writes, reads), (1.0 + 4.0, 1.0 + 2.0));
}

#[tokio::test]
async fn a_company_costs_a_unit_to_tell_and_one_to_read() {
    let cloud = begin().await;
    let instance = new_instance(&cloud);
    put(&instance, "other", 1).await;
    assert_eq!(instance.transport.take_cost(), (calls(&["PutItem"]), 1.0, 0.0));
    instance
        .app
        .companies()
        .get(&crate::company::id("other"))
        .await
        .expect("a read")
        .expect("a company");
    assert_eq!(instance.transport.take_cost(), (calls(&["GetItem"]), 0.0, 1.0));
}
