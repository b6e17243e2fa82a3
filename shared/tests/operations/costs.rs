//! The cost of a scrape, as stated in `docs/COSTS.md` and `docs/OPERATIONS.md`.

use std::time::Duration;

use once::testing::{Instance, cost};

use crate::operations::fixtures::{deployment, now, scrape};

/// The calls since the last check, counted by operation, and their write and read units.
fn take_cost(instance: &Instance) -> (Vec<(String, usize)>, f64, f64) {
    let (mut operations, writes, reads) = cost(&instance.transport.take_calls());
    operations.sort_unstable();
    let counts = operations.chunk_by(|a, b| a == b).map(|same| (same[0].clone(), same.len()));
    (counts.collect(), writes, reads)
}

fn calls(counts: &[(&str, usize)]) -> Vec<(String, usize)> {
    counts.iter().map(|&(operation, count)| (operation.to_owned(), count)).collect()
}

#[tokio::test]
async fn a_scrape_reads_each_source_once_and_cloudwatch_once_a_minute() {
    // Two functions have run.
    let (cloud, instance) = deployment().await;
    scrape(&instance).await;
    // Queries: the list of products, one product, the newest published minute, the newest and the
    // live settlements, eight shards of due jobs. The item: the live settlement.
    let tables = [("GetItem", 1), ("Query", 13)];
    let queues = ("GetQueueAttributes", 10);
    // Half a unit for each query of an index; one unit each for the product, the minute and the
    // live settlement.
    let units = 11.0 * 0.5 + 3.0;
    let first = calls(&[tables[0], ("GetMetricData", 2), queues, ("ListMetrics", 1), tables[1]]);
    let first = (first, 0.0, units);
    assert_eq!(take_cost(&instance), first);
    assert_eq!(cloud.services().take_metric_queries().len(), 37 + 2 * 7, "each is billed");

    let later = |seconds| instance.at(now().plus(Duration::from_secs(seconds)));
    scrape(&later(29)).await;
    let cached = calls(&[tables[0], queues, tables[1]]);
    assert_eq!(take_cost(&instance), (cached, 0.0, units), "in the same minute");
    scrape(&later(30)).await;
    assert_eq!(take_cost(&instance).0, first.0, "both windows end at noon now");
    assert_eq!(cloud.services().take_metric_queries().len(), 37 + 2 * 7);
    scrape(&later(5 * 60 + 29)).await;
    assert_eq!(
        take_cost(&instance).0,
        calls(&[tables[0], ("GetMetricData", 1), queues, tables[1]]),
        "in a later minute of the same five"
    );
    assert_eq!(cloud.services().take_metric_queries().len(), 37);
}
