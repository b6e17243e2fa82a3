//! Cost of each operation: `docs/COSTS.md` states these numbers.

use once::{
    company::{CacheStatus, Kind},
    ledger::Entry,
    testing::{LEDGER_TABLE, cost},
};
use uuid::Uuid;

use crate::company::fixtures::{
    COMPANY, QUERIES, abandoned_request, at, compute, new_instance, next_messages, put_company,
    request, setup,
};

fn operations(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test]
async fn a_cached_response_costs_one_read_or_nothing() {
    let cloud = setup().await;
    let instance = new_instance(&cloud);
    for kind in crate::company::fixtures::KINDS {
        compute(&new_instance(&cloud), &abandoned_request(&cloud, kind, at(0)).await, at(0)).await;
        assert_eq!(
            request(&instance, kind, at(1)).await.expect("figures").status,
            CacheStatus::Hit
        );
        assert_eq!(
            instance.transport.take_cost(),
            (operations(&["GetItem"]), 0.0, 1.0),
            "{kind:?}"
        );
        assert_eq!(
            request(&instance, kind, at(2)).await.expect("figures").status,
            CacheStatus::Hit
        );
        assert_eq!(
            instance.transport.take_cost(),
            (operations(&[]), 0.0, 0.0),
            "{kind:?} from the cache"
        );
    }
}

#[tokio::test]
async fn a_request_that_starts_the_computation_costs_four_calls_and_its_polls() {
    let cloud = setup().await;
    let instance = new_instance(&cloud);
    let joined = new_instance(&cloud);
    let worker = new_instance(&cloud);
    let work = async {
        let messages = next_messages(&cloud, 1).await;
        let joining = async { request(&joined, Kind::Sales, at(0)).await.expect("figures") };
        let (joined, ()) =
            futures_util::future::join(joining, compute(&worker, &messages[0], at(0))).await;
        joined
    };
    let (response, other) =
        futures_util::future::join(request(&instance, Kind::Sales, at(0)), work).await;
    assert_eq!(
        (response.expect("figures").status, other.status),
        (CacheStatus::Miss, CacheStatus::Collapsed)
    );
    let calls = instance.transport.take_calls();
    let (start, polls) = calls.split_at(4);
    assert_eq!(
        cost(start),
        (operations(&["GetItem", "GetItem", "UpdateItem", "SendMessageBatch"]), 1.0, 2.0)
    );
    for polls in [polls, &joined.transport.take_calls()] {
        assert!(!polls.is_empty());
        assert!(
            polls
                .iter()
                .all(|poll| poll.operation == "GetItem" && (poll.read_units - 1.0).abs() < 0.01)
        );
    }
}

#[tokio::test]
async fn a_worker_reads_the_ledger_once_for_all_kinds() {
    let cloud = setup().await;
    let messages = [
        abandoned_request(&cloud, Kind::Sales, at(0)).await,
        abandoned_request(&cloud, Kind::Financials, at(0)).await,
    ];
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
        (operations(&whole.concat()), 1.0 + 1.0 + 4.0 + 1.0, 2.0 + ledger),
        "the base has 4 KB"
    );
    compute(&worker, &messages[1], at(0)).await;
    let found = ["UpdateItem", "GetItem", "GetItem", "UpdateItem"];
    assert_eq!(
        worker.transport.take_cost(),
        (operations(&found), 1.0 + 3.0, 1.0 + 1.0),
        "the base exists"
    );
    compute(&worker, &messages[1], at(1)).await;
    assert_eq!(
        worker.transport.take_cost(),
        (operations(&["UpdateItem"]), 0.0, 0.0),
        "a redelivered message"
    );
}

#[tokio::test]
async fn larger_sums_cost_one_unit_more() {
    let cloud = setup().await;
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
    let messages = [
        abandoned_request(&cloud, Kind::Sales, at(0)).await,
        abandoned_request(&cloud, Kind::Financials, at(0)).await,
    ];
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
async fn a_profile_costs_one_unit_to_write_and_one_to_read() {
    let cloud = setup().await;
    let instance = new_instance(&cloud);
    put_company(&instance, "other", 1).await;
    assert_eq!(instance.transport.take_cost(), (operations(&["PutItem"]), 1.0, 0.0));
    instance
        .app
        .companies()
        .get(&crate::company::fixtures::id("other"))
        .await
        .expect("a read")
        .expect("a company");
    assert_eq!(instance.transport.take_cost(), (operations(&["GetItem"]), 0.0, 1.0));
}
