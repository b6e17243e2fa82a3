use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{PutRequest, WriteRequest},
};

use super::*;

/// Items of the partition `a`, all with the same owner.
const ITEMS: i64 = 2_500;

async fn fill(client: &Client) {
    let items: Vec<WriteRequest> = (0..ITEMS)
        .map(|n| {
            let mut item = numbered("a", &format!("{n:04}"), n);
            item.insert("owner".into(), text("me"));
            let put = PutRequest::builder().set_item(Some(item)).build().expect("an item");
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    for batch in items.chunks(25) {
        let write = client.batch_write_item().request_items(TABLE, batch.to_vec());
        write.send().await.expect("a batch");
    }
}

fn query(client: &Client, attribute: &str, value: &str) -> QueryFluentBuilder {
    let query = client.query().table_name(TABLE).key_condition_expression("#key = :value");
    query
        .expression_attribute_names("#key", attribute)
        .expression_attribute_values(":value", text(value))
}

async fn read_all(query: QueryFluentBuilder) -> Vec<Item> {
    let items = query.into_paginator().items().send();
    items.collect::<Result<_, _>>().await.expect("all pages")
}

#[tokio::test]
async fn a_large_partition_is_read_in_pages() {
    let (_folder, _store, client) = new_client().await;
    fill(&client).await;
    let page = query(&client, "pk", "a").send().await.expect("a page");
    assert_eq!(page.count, 1_000);
    assert!(page.last_evaluated_key.is_some());
    let page = query(&client, "pk", "a").limit(7).send().await.expect("a page");
    assert_eq!(page.count, 7);

    let by_key = read_all(query(&client, "pk", "a")).await;
    let numbers: Vec<_> = by_key.iter().map(|item| item["n"].clone()).collect();
    assert_eq!(numbers, (0..ITEMS).map(number).collect::<Vec<_>>());
    let by_owner = read_all(query(&client, "owner", "me").index_name(INDEX)).await;
    assert_eq!(by_owner.len(), by_key.len());

    let page = client.scan().table_name(TABLE).send().await.expect("a page");
    assert_eq!(page.count, 1_000);
    let scan = client.scan().table_name(TABLE).into_paginator().items().send();
    let scanned: Vec<Item> = scan.collect::<Result<_, _>>().await.expect("all pages");
    assert_eq!(scanned.len(), by_key.len());
}
