//! Calls and capacity units of each operation: `docs/COSTS.md` states these numbers.

use once::{
    cursor::DEFAULT_LIMIT,
    settlement::AcceptedJob,
    testing::{Cloud, Instance, QueuedMessage},
};

use crate::settlement::fixtures::{
    create_one_day, deliver, noon, payments_of_one_day, record, status_of, worker,
};

fn calls(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Creates and plans a settlement; the costs of the plan are then those recorded last.
async fn planned(cloud: &Cloud, instance: &Instance) -> (AcceptedJob, Vec<QueuedMessage>) {
    let job = create_one_day(instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    drop(instance.transport.take_cost());
    deliver(instance, &plan, 1, noon()).await.expect("planned");
    (job, cloud.services().take_queued())
}

#[tokio::test]
async fn requests_of_callers_cost_at_most_three_calls() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let settlement = instance.app.settlement();
    let job = create_one_day(&instance, noon()).await;
    assert_eq!(
        instance.transport.take_cost(),
        (calls(&["GetItem", "TransactWriteItems", "SendMessageBatch"]), 6.0, 1.0)
    );
    create_one_day(&instance, noon()).await;
    assert_eq!(
        instance.transport.take_cost(),
        (calls(&["GetItem", "GetItem"]), 0.0, 2.0),
        "joined"
    );
    status_of(&instance, job, noon()).await;
    assert_eq!(instance.transport.take_cost(), (calls(&["GetItem"]), 0.0, 1.0));
    settlement.list(DEFAULT_LIMIT, None, noon()).await.expect("a page");
    assert_eq!(instance.transport.take_cost(), (calls(&["Query"]), 0.0, 0.5));
    settlement.cancel(job.job_id, noon()).await.expect("cancelled");
    assert_eq!(instance.transport.take_cost(), (calls(&["UpdateItem"]), 3.0, 0.0));
    settlement.resend_stalled(noon()).await.expect("a tick");
    assert_eq!(
        instance.transport.take_cost(),
        (calls(&["Query"]), 0.0, 0.5),
        "no settlement is live"
    );
}

#[tokio::test]
async fn a_plan_costs_one_query_per_shard_and_page_and_one_put_per_batch() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments_of_one_day(40)).await;
    let (_, batches) = planned(&cloud, &instance).await;
    assert_eq!(batches.len(), 9);
    let (mut names, writes, reads) = instance.transport.take_cost();
    // The shards are counted concurrently.
    let counting = 1..names.len() - 3;
    names[counting].sort_unstable();
    let counted = [vec!["PutItem"; 9], vec!["Query"; 11]].concat();
    let expected =
        [vec!["UpdateItem"], counted, vec!["UpdateItem", "Query", "SendMessageBatch"]].concat();
    let page = 1.0;
    assert_eq!((names, writes, reads), (calls(&expected), 9.0 + 2.0 + 2.0, 11.0 * page + 1.0));
    instance.app.settlement().resend_stalled(noon()).await.expect("a tick");
    assert_eq!(
        instance.transport.take_cost(),
        (calls(&["Query", "GetItem", "Query", "UpdateItem"]), 2.0, 2.5),
        "a live settlement"
    );
}

#[tokio::test]
async fn a_batch_costs_six_calls_and_four_write_units() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments_of_one_day(40)).await;
    let (job, batches) = planned(&cloud, &instance).await;
    drop(instance.transport.take_cost());
    let summed = ["GetItem", "GetItem", "Query", "PutObject", "TransactWriteItems", "Query"];
    for batch in &batches[1..] {
        deliver(&instance, batch, 1, noon()).await.expect("summed");
        // The settlement and the batch, a small page of the ledger, and the check for pending
        // batches.
        assert_eq!(instance.transport.take_cost(), (calls(&summed), 4.0, 2.0 + 0.5 + 1.0));
    }
    status_of(&instance, job, noon()).await;
    assert_eq!(instance.transport.take_cost(), (calls(&["GetItem", "Query"]), 0.0, 2.0));
    deliver(&instance, &batches[0], 1, noon()).await.expect("summed");
    let last = [summed.as_slice(), &["UpdateItem", "SendMessageBatch"]].concat();
    assert_eq!(
        instance.transport.take_cost(),
        (calls(&last), 4.0 + 2.0, 3.5),
        "the last batch also requests the file"
    );
    deliver(&instance, &batches[0], 2, noon()).await.expect("skipped");
    assert_eq!(
        instance.transport.take_cost(),
        (calls(&["GetItem", "GetItem"]), 0.0, 2.0),
        "delivered again"
    );

    let [finish] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &finish, 1, noon()).await.expect("finished");
    let (names, writes, reads) = instance.transport.take_cost();
    let parts = vec!["GetObject"; 9];
    let file = [
        vec!["CreateMultipartUpload", "Query"],
        parts.clone(),
        vec!["UploadPart", "CompleteMultipartUpload"],
    ];
    let days = [vec!["Query"], parts, vec!["PutItem"; 5], vec!["UpdateItem"]];
    let expected =
        [vec![vec!["UpdateItem", "Query"]], file.to_vec(), days.to_vec()].concat().concat();
    assert_eq!(names, calls(&expected));
    assert_eq!(
        (writes, reads),
        (5.0 + 2.0 + 3.0, 3.0),
        "five merchants, the lease, the transition; the batches, three times"
    );
    instance.app.settlement().download(job.job_id, |_| false).await.expect("a file");
    assert_eq!(instance.transport.take_cost(), (calls(&["GetItem", "GetObject"]), 0.0, 1.0));
}

/// Returns the size by the rules of DynamoDB: bytes of names and texts, and n / 2 + 1 bytes for a
/// number of n digits.
fn size(entry: &once::ledger::Entry) -> usize {
    let item = entry.item().expect("an item");
    let sizes = item.iter().map(|(name, value)| match (value.as_s(), value.as_n()) {
        (Ok(text), _) => name.len() + text.len(),
        (_, Ok(number)) => name.len() + number.trim_start_matches('-').len().div_ceil(2) + 1,
        other => panic!("{other:?}"),
    });
    sizes.sum()
}

#[tokio::test]
async fn the_ledger_is_counted_once_consistently_and_read_once_at_half_the_price() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let entries = payments_of_one_day(4_000);
    record(&cloud, &entries).await;
    // Minimum cost of reading these bytes eventually consistently: one unit for 8 KB.
    let bytes = u32::try_from(entries.iter().map(size).sum::<usize>()).expect("few");
    let minimum = f64::from(bytes) / 8_192.0;
    let (_, batches) = planned(&cloud, &instance).await;
    let (_, _, plan) = instance.transport.take_cost();
    assert_eq!(batches.len(), 8, "one for each shard");
    // Each page is rounded up to 4 KB; the batches are read as well, to send their messages.
    assert!((2.0 * minimum..2.0 * minimum + 8.0 + 1.0).contains(&plan), "{plan} for {minimum}");
    let mut reads = 0.0;
    for batch in &batches {
        deliver(&instance, batch, 1, noon()).await.expect("summed");
        reads += instance.transport.take_cost().2 - 3.0;
    }
    assert!((minimum - 0.5..minimum + 4.0).contains(&reads), "{reads} for {minimum}");
}
