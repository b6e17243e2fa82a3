use super::{super::expiry, *};

/// A time.
const NOW_S: i64 = 1_795_000_000;

async fn expiring_store() -> (Folder, Store, Client) {
    let (folder, store, client) = new_client().await;
    let ttl = json!({
        "TableName": TABLE,
        "TimeToLiveSpecification": { "AttributeName": "it's", "Enabled": true },
    });
    assert_eq!(store.execute("UpdateTimeToLive", ttl.to_string().into()).await.status, 200);
    (folder, store, client)
}

/// Puts an item with an owner and, if it has one, its time to live.
async fn put_expiring(client: &Client, sk: &str, ttl: Option<AttributeValue>) {
    let mut item = key("a", sk);
    item.insert("owner".into(), text("me"));
    item.extend(ttl.map(|ttl| ("it's".into(), ttl)));
    put(client, item).await;
}

/// Returns the sort keys of the items, from the table and from its index.
async fn remaining(client: &Client) -> (Vec<String>, Vec<String>) {
    let sort_keys = |items: Option<Vec<Item>>| {
        let keys = items.into_iter().flatten().map(|item| item["sk"].as_s().expect("text").clone());
        keys.collect()
    };
    let scan = client.scan().table_name(TABLE).send().await.expect("a page");
    let index = client.scan().table_name(TABLE).index_name(INDEX).send().await.expect("a page");
    (sort_keys(scan.items), sort_keys(index.items))
}

#[tokio::test]
async fn items_expire_after_their_time_and_leave_the_indexes() {
    let (_folder, store, client) = expiring_store().await;
    put_expiring(&client, "expired", Some(number(NOW_S - 1))).await;
    put_expiring(&client, "expires now", Some(number(NOW_S))).await;
    put_expiring(&client, "never", None).await;
    put_expiring(&client, "no number", Some(text("1"))).await;
    put_expiring(&client, "older than five years", Some(number(1))).await;
    assert_eq!(store.expire(NOW_S).await.expect("a removal"), 1);
    let kept = ["expires now", "never", "no number", "older than five years"];
    let kept: Vec<String> = kept.map(str::to_owned).to_vec();
    assert_eq!(remaining(&client).await, (kept.clone(), kept));
    assert_eq!(store.expire(NOW_S).await.expect("a removal"), 0);
}

#[tokio::test]
async fn a_call_removes_a_bounded_number_of_items() {
    let (_folder, store, client) = expiring_store().await;
    for n in 0..=expiry::BATCH {
        put_expiring(&client, &n.to_string(), Some(number(NOW_S - 1))).await;
    }
    assert_eq!(store.expire(NOW_S).await.expect("a removal"), expiry::BATCH);
    assert_eq!(store.expire(NOW_S).await.expect("a removal"), 1);
    assert_eq!(remaining(&client).await, (vec![], vec![]));
}

#[tokio::test]
async fn a_removal_reads_no_item_that_has_not_expired() {
    let (_folder, store, _client) = expiring_store().await;
    store.expire(NOW_S).await.expect("a removal");
    let plan = store.read(|rows| {
        let plan = format!("EXPLAIN QUERY PLAN {}", expiry::selection(TABLE, "it's"));
        rows.query_row(&plan, [1, 2, 3], |row| row.get::<_, String>("detail"))
    });
    let plan = plan.await.expect("a plan");
    assert!(plan.starts_with("SEARCH Items USING INDEX Items::ttl::it's"), "{plan}");
}
