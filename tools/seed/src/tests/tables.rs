//! Tests of the contents of the tables after a run.

use std::collections::{BTreeMap, HashMap};

use once::{
    dynamo::{Item, from_item},
    ledger::{Entry, fee_cents},
    testing::{
        COMPANIES_TABLE, Cloud, Fault, FaultyTransport, LEDGER_TABLE, ORDERS_TABLE, new_order,
    },
};

use super::plan;
use crate::{
    plan::Plan,
    stack::{Stack, companies},
    sums::Sums,
    tables::{self, WriteSummary},
};

fn csv(sums: &Sums) -> String {
    let mut csv = Vec::new();
    sums.write_csv(&mut csv).expect("a Vec accepts all writes");
    String::from_utf8(csv).expect("a text")
}

fn stack_behind(cloud: &Cloud, transport: &FaultyTransport) -> Stack {
    let aws = cloud.aws_behind(transport);
    let companies = companies(&aws, COMPANIES_TABLE, LEDGER_TABLE);
    Stack {
        client: aws.dynamo(),
        orders: ORDERS_TABLE.to_owned(),
        ledger: LEDGER_TABLE.to_owned(),
        companies,
    }
}

async fn write_all(stack: &Stack, plan: &Plan) -> WriteSummary {
    let catalog = plan.catalog().expect("a catalog");
    tables::put_companies(stack, plan).await.expect("companies");
    tables::create_products(stack, plan, &catalog).await.expect("products");
    tables::write_entries(stack, plan, &catalog, 4, |_| {}).await.expect("transactions")
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().expect("a text")
}

fn number(item: &Item, name: &str) -> i64 {
    item[name].as_n().expect("a number").parse().expect("a number")
}

/// Returns the sums of the ledger's items, in the form and order of the lines of a CSV.
fn ledger_sums(items: &[Item]) -> Vec<(String, String, [i64; 4])> {
    let mut sums: BTreeMap<(&str, &str), [i64; 4]> = BTreeMap::new();
    for item in items {
        let sum =
            sums.entry((&text(item, "recorded_at")[..10], text(item, "merchant_id"))).or_default();
        for (sum, more) in sum.iter_mut().zip([
            number(item, "gross_cents"),
            number(item, "fee_cents"),
            number(item, "net_cents"),
            1,
        ]) {
            *sum += more;
        }
    }
    sums.into_iter()
        .map(|((date, merchant), sum)| (merchant.to_owned(), date.to_owned(), sum))
        .collect()
}

/// Parses the sums of a CSV.
fn csv_sums(csv: &str) -> Vec<(String, String, [i64; 4])> {
    let lines = csv.strip_suffix("\r\n").expect("a line end").split("\r\n").skip(1);
    let line = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
        [merchant, date, gross, fee, net, count] => {
            let cents =
                [gross, fee, net].map(|amount| amount.replace('.', "").parse().expect("an amount"));
            let count = count.parse().expect("a count");
            (merchant.to_owned(), date.to_owned(), [cents[0], cents[1], cents[2], count])
        }
        _ => panic!("six values: {line}"),
    };
    lines.map(line).collect()
}

/// Returns the items of a table by their keys, without the counter of product ids.
async fn contents(cloud: &Cloud, table: &str) -> BTreeMap<(String, String), Item> {
    let items = cloud.items(table).await.into_iter();
    let keyed =
        items.map(|item| ((text(&item, "pk").to_owned(), text(&item, "sk").to_owned()), item));
    keyed.filter(|((pk, _), _)| pk != "COUNTER").collect()
}

#[tokio::test]
async fn an_entry_has_the_item_format_and_the_fee_of_an_order() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let plan = plan(1);
    let catalog = plan.catalog().expect("a catalog");
    tables::create_products(&stack_behind(&cloud, &instance.transport), &plan, &catalog)
        .await
        .expect("products");
    let mut fees = HashMap::new();
    // In an empty table the ids are the numbers.
    for (id, product) in (1..).zip(&catalog) {
        for quantity in 1..=5 {
            let order = new_order(id, quantity, "buyer-123");
            let placed = instance
                .app
                .orders()
                .place(order, None, plan.start())
                .await
                .expect("an order")
                .order;
            fees.insert(placed.id, fee_cents(placed.total_cents, product.fee_basis_points.get()));
        }
    }
    for stored in cloud.items(LEDGER_TABLE).await {
        let entry: Entry = from_item(stored.clone()).expect("an entry");
        assert_eq!(fees.remove(&entry.order_id), Some(entry.fee_cents));
        assert_eq!(entry.item().expect("an item"), stored);
    }
    assert_eq!(fees, HashMap::new());
}

#[tokio::test]
async fn the_sums_equal_the_table_when_calls_fail_and_answers_are_lost() {
    for fault in [Fault::Throttle, Fault::LoseReply, Fault::Refuse] {
        let cloud = Cloud::start().await;
        let transport = cloud.instance().transport;
        transport.fail_randomly(7, 0.4, fault);
        let summary = write_all(&stack_behind(&cloud, &transport), &plan(1_210)).await;
        let items = cloud.items(LEDGER_TABLE).await;
        assert_eq!(items.len(), 1_210, "{fault:?}");
        assert_eq!(csv_sums(&csv(&summary.sums)), ledger_sums(&items), "{fault:?}");
        if fault != Fault::LoseReply {
            assert!((summary.units - 1_210.0).abs() < 0.5, "{fault:?}: {}", summary.units);
        }
    }
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let cloud = Cloud::start().await;
    let stack = stack_behind(&cloud, &cloud.instance().transport);
    let plan = plan(310);
    let first = write_all(&stack, &plan).await;
    let (orders, ledger) =
        (contents(&cloud, ORDERS_TABLE).await, contents(&cloud, LEDGER_TABLE).await);
    let products = orders
        .values()
        .filter(|item| text(item, "sk") == "PRODUCT" && item.contains_key("price"))
        .count();
    assert_eq!((products, ledger.len()), (5, 310));
    let companies = contents(&cloud, COMPANIES_TABLE).await;
    assert_eq!(companies.len(), 3);

    let second = write_all(&stack, &plan).await;
    assert_eq!(second.sums, first.sums);
    assert_eq!(contents(&cloud, ORDERS_TABLE).await, orders);
    assert_eq!(contents(&cloud, LEDGER_TABLE).await, ledger);
    assert_eq!(contents(&cloud, COMPANIES_TABLE).await, companies);
}

#[tokio::test]
async fn each_merchant_is_a_company_in_the_api() {
    let cloud = Cloud::start().await;
    let transport = cloud.instance().transport;
    transport.fail_randomly(7, 0.4, Fault::LoseReply);
    let plan = plan(1);
    let employees =
        tables::put_companies(&stack_behind(&cloud, &transport), &plan).await.expect("companies");
    let mut found = 0;
    for (id, profile) in plan.companies().expect("companies") {
        let company =
            cloud.instance().app.companies().get(&id).await.expect("a read").expect("the company");
        found += company.profile.employees.get();
        assert_eq!((company.profile, company.updated_at), (profile, plan.start()));
    }
    assert_eq!(found, employees);
}
