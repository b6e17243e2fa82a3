//! What the tables hold afterwards.

use std::collections::{BTreeMap, HashMap};

use once::{
    dynamo::{Item, read},
    ledger::{Entry, fee_cents},
    testing::{
        COMPANIES_TABLE, Cloud, Fault, FaultyTransport, LEDGER_TABLE, ORDERS_TABLE, new_order,
    },
};

use super::plan;
use crate::{
    fill::{self, Written},
    plan::Plan,
    stack::{Stack, companies},
    sums::Sums,
};

fn csv(sums: &Sums) -> String {
    let mut csv = Vec::new();
    sums.write_csv(&mut csv).expect("memory");
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

async fn filled(stack: &Stack, plan: &Plan) -> Written {
    let catalog = plan.catalog().expect("a catalog");
    fill::put_companies(stack, plan).await.expect("companies");
    fill::create_products(stack, plan, &catalog).await.expect("products");
    fill::write_entries(stack, plan, &catalog, 4, |_| {}).await.expect("transactions")
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().expect("a text")
}

fn number(item: &Item, name: &str) -> i64 {
    item[name].as_n().expect("a number").parse().expect("a number")
}

/// What the items of the ledger add up to, in the form of a CSV's lines, whose order this is.
fn scanned(items: &[Item]) -> Vec<(String, String, [i64; 4])> {
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

/// The same of a CSV.
fn told(csv: &str) -> Vec<(String, String, [i64; 4])> {
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

/// The items of a table by their keys, without the counter of product ids.
async fn contents(cloud: &Cloud, table: &str) -> BTreeMap<(String, String), Item> {
    let items = cloud.items(table).await.into_iter();
    let keyed =
        items.map(|item| ((text(&item, "pk").to_owned(), text(&item, "sk").to_owned()), item));
    keyed.filter(|((pk, _), _)| pk != "COUNTER").collect()
}

#[tokio::test]
async fn an_entry_is_the_item_that_an_order_writes_and_has_an_orders_fee() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let plan = plan(1);
    let catalog = plan.catalog().expect("a catalog");
    fill::create_products(&stack_behind(&cloud, &instance.transport), &plan, &catalog)
        .await
        .expect("products");
    let mut fees = HashMap::new();
    // In an empty table the ids follow the numbers.
    for (id, product) in (1..).zip(&catalog) {
        for quantity in 1..=5 {
            let order = new_order(id, quantity, "buyer-123");
            let placed = instance
                .app
                .orders()
                .place(order, None, plan.begin())
                .await
                .expect("an order")
                .order;
            fees.insert(placed.id, fee_cents(placed.total_cents, product.fee_basis_points.get()));
        }
    }
    for stored in cloud.items(LEDGER_TABLE).await {
        let entry: Entry = read(stored.clone()).expect("an entry");
        assert_eq!(fees.remove(&entry.order_id), Some(entry.fee_cents));
        assert_eq!(entry.item().expect("an item"), stored);
    }
    assert_eq!(fees, HashMap::new());
}

#[tokio::test]
async fn the_sums_are_those_of_the_table_though_calls_fail_and_answers_are_lost() {
    for fault in [Fault::Throttle, Fault::LoseReply, Fault::Refuse] {
        let cloud = Cloud::start().await;
        let transport = cloud.instance().transport;
        transport.fail_randomly(7, 0.4, fault);
        let written = filled(&stack_behind(&cloud, &transport), &plan(1_210)).await;
        let items = cloud.items(LEDGER_TABLE).await;
        assert_eq!(items.len(), 1_210, "{fault:?}");
        assert_eq!(told(&csv(&written.sums)), scanned(&items), "{fault:?}");
        if fault != Fault::LoseReply {
            assert!((written.units - 1_210.0).abs() < 0.5, "{fault:?}: {}", written.units);
        }
    }
}

#[tokio::test]
async fn running_twice_changes_nothing() {
    let cloud = Cloud::start().await;
    let stack = stack_behind(&cloud, &cloud.instance().transport);
    let plan = plan(310);
    let first = filled(&stack, &plan).await;
    let (orders, ledger) =
        (contents(&cloud, ORDERS_TABLE).await, contents(&cloud, LEDGER_TABLE).await);
    let products = orders
        .values()
        .filter(|item| text(item, "sk") == "PRODUCT" && item.contains_key("price"))
        .count();
    assert_eq!((products, ledger.len()), (5, 310));
    let companies = contents(&cloud, COMPANIES_TABLE).await;
    assert_eq!(companies.len(), 3);

    let second = filled(&stack, &plan).await;
    assert_eq!(second.sums, first.sums);
    assert_eq!(contents(&cloud, ORDERS_TABLE).await, orders);
    assert_eq!(contents(&cloud, LEDGER_TABLE).await, ledger);
    assert_eq!(contents(&cloud, COMPANIES_TABLE).await, companies);
}

#[tokio::test]
async fn each_merchant_is_a_company_that_the_api_finds() {
    let cloud = Cloud::start().await;
    let transport = cloud.instance().transport;
    transport.fail_randomly(7, 0.4, Fault::LoseReply);
    let plan = plan(1);
    let employees =
        fill::put_companies(&stack_behind(&cloud, &transport), &plan).await.expect("companies");
    let mut found = 0;
    for (id, profile) in plan.companies().expect("companies") {
        let company =
            cloud.instance().app.companies().get(&id).await.expect("a read").expect("the company");
        found += company.profile.employees.get();
        assert_eq!((company.profile, company.updated_at), (profile, plan.begin()));
    }
    assert_eq!(found, employees);
}
