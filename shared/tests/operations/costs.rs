//! What a scrape costs: `docs/COSTS.md` and `docs/OPERATIONS.md` state these numbers.

use std::time::Duration;

use once::testing::{Instance, cost};

use crate::scraped::{lively, now, scrape};

fn spent(instance: &Instance) -> (Vec<(String, usize)>, f64, f64) {
    let (mut names, writes, reads) = cost(&instance.transport.take_sent());
    names.sort_unstable();
    let counted = names.chunk_by(|a, b| a == b).map(|same| (same[0].clone(), same.len()));
    (counted.collect(), writes, reads)
}

fn calls(names: &[(&str, usize)]) -> Vec<(String, usize)> {
    names.iter().map(|&(name, times)| (name.to_owned(), times)).collect()
}

#[tokio::test]
async fn a_scrape_reads_each_source_once_and_cloudwatch_once_a_minute() {
    // Two functions have run.
    let (cloud, instance) = lively().await;
    scrape(&instance).await;
    // The list of products, one product, the last minute, the newest and the live jobs, eight shards of what is due; and the live job.
    let tables = [("GetItem", 1), ("Query", 13)];
    let queues = ("GetQueueAttributes", 10);
    // Half a unit for each query of an index, and one for the product, for the minute and for the live job.
    let units = 11.0 * 0.5 + 3.0;
    let first = calls(&[tables[0], ("GetMetricData", 2), queues, ("ListMetrics", 1), tables[1]]);
    let first = (first, 0.0, units);
    assert_eq!(spent(&instance), first);
    assert_eq!(cloud.services().take_metrics_asked_for().len(), 37 + 2 * 7, "each is billed");

    let later = |seconds| instance.at(now().plus(Duration::from_secs(seconds)));
    scrape(&later(29)).await;
    let again = calls(&[tables[0], queues, tables[1]]);
    assert_eq!(spent(&instance), (again, 0.0, units), "in the same minute");
    scrape(&later(30)).await;
    assert_eq!(spent(&instance).0, first.0, "noon has settled, and with it five minutes");
    assert_eq!(cloud.services().take_metrics_asked_for().len(), 37 + 2 * 7);
    scrape(&later(5 * 60 + 29)).await;
    assert_eq!(
        spent(&instance).0,
        calls(&[tables[0], ("GetMetricData", 1), queues, tables[1]]),
        "in another minute of these"
    );
    assert_eq!(cloud.services().take_metrics_asked_for().len(), 37);
}
