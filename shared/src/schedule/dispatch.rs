//! The tick: sends a message for each due occurrence, and then advances the jobs.

#![expect(clippy::disallowed_types, reason = "it ends with its invocation")]

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, future::join_all, stream};
use tokio::time::Instant;
use tracing::info;

use super::{
    Schedules,
    due::{DueOccurrences, MissedRange, due_occurrences, horizon},
    job_store::DueJob,
    occurrence::Occurrence,
    when::Misfire,
};
use crate::{
    aws::ServiceError,
    dynamo::{Json, keys::DUE_SHARDS},
    time::Timestamp,
};

/// The maximum number of jobs in a page of the index.
const PAGE_SIZE: i32 = 100;

/// The number of jobs of a page that are advanced concurrently.
const CONCURRENT_JOBS: usize = 16;

/// How long a tick starts new pages; the function times out at 50 s. The next tick continues.
const PAGING_TIME: Duration = Duration::from_secs(35);

/// Why missed occurrences are recorded as skipped.
const MISSED: &str = "MISSED: nothing was there to fire it, and the schedule skips what is missed";

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TickSummary {
    /// Jobs that were due.
    pub jobs: u64,
    /// Occurrences for which messages were sent.
    pub sent: u64,
    /// Jobs with missed occurrences that were skipped, or of which only the last was sent.
    pub missed: u64,
}

/// A due job, and what this tick does with it.
struct Dispatch<'a> {
    job: &'a DueJob,
    misfire: Misfire,
    occurrences: DueOccurrences,
}

impl Schedules {
    /// Sends the occurrences that are due until the end of the next minute.
    ///
    /// # Errors
    /// A service failed: the next tick continues where this one stopped, and sends again what was
    /// sent for a job that was not advanced.
    pub async fn tick(&self, now: Timestamp) -> Result<TickSummary, ServiceError> {
        let started = Instant::now();
        // A failure in one shard does not keep the others from their work.
        let shards =
            join_all((0..DUE_SHARDS).map(|shard| Box::pin(self.tick_shard(shard, now, started))))
                .await;
        let tick = shards
            .into_iter()
            .try_fold(TickSummary::default(), |sum, shard| shard.map(|shard| sum.plus(shard)))?;
        if tick.jobs > 0 {
            info!(tick.jobs, tick.sent, tick.missed, "Occurrences sent");
        }
        metrics::counter!("OccurrencesSent").increment(tick.sent);
        metrics::counter!("ScheduledJobMisfires").increment(tick.missed);
        Ok(tick)
    }

    async fn tick_shard(
        &self,
        shard: u64,
        now: Timestamp,
        started: Instant,
    ) -> Result<TickSummary, ServiceError> {
        let (mut tick, mut start) = (TickSummary::default(), None);
        while started.elapsed() < PAGING_TIME {
            let (page, next) = self.jobs.due(shard, horizon(now), PAGE_SIZE, start).await?;
            tick = tick.plus(self.dispatch(&page, now).await?);
            if next.is_none() {
                break;
            }
            start = next;
        }
        Ok(tick)
    }

    /// Sends the due occurrences of these jobs, and then advances the jobs.
    pub(super) async fn dispatch(
        &self,
        page: &[DueJob],
        now: Timestamp,
    ) -> Result<TickSummary, ServiceError> {
        let due = page.iter().filter_map(|job| {
            let Json(schedule) = job.schedule.as_ref()?;
            Some(Dispatch {
                job,
                misfire: schedule.misfire(),
                occurrences: due_occurrences(schedule, job.next_run_at, now),
            })
        });
        let dispatches: Vec<Dispatch<'_>> = due.collect();
        let messages: Vec<(Occurrence, Duration)> =
            dispatches.iter().flat_map(|dispatch| dispatch.messages(now)).collect();
        let sent = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        self.queue().send_each(messages).await?;
        let pending =
            dispatches.iter().map(|dispatch| self.advance(dispatch, now)).collect::<Vec<_>>();
        let advanced: Vec<TickSummary> =
            stream::iter(pending).buffer_unordered(CONCURRENT_JOBS).try_collect().await?;
        let summary = TickSummary { sent, ..TickSummary::default() };
        Ok(advanced.into_iter().fold(summary, TickSummary::plus))
    }

    async fn advance(
        &self,
        Dispatch { job, misfire, occurrences }: &Dispatch<'_>,
        now: Timestamp,
    ) -> Result<TickSummary, ServiceError> {
        let skipped = occurrences.missed.filter(|_| *misfire == Misfire::Skip);
        if let Some(MissedRange { from, to }) = skipped {
            let last = Occurrence::scheduled(job.id, job.generation, to).with_missed_since(from);
            self.runs.skip(&last, MISSED, now).await?;
        }
        if self.jobs.advance(job, occurrences.next).await?
            && let Some(MissedRange { from, to }) = occurrences.missed
        {
            info!(job.id = %job.id, %from, %to, "Occurrences missed");
        }
        Ok(TickSummary { jobs: 1, sent: 0, missed: occurrences.missed.is_some().into() })
    }
}

impl Dispatch<'_> {
    fn messages(&self, now: Timestamp) -> impl Iterator<Item = (Occurrence, Duration)> {
        let Self { job, occurrences, .. } = self;
        occurrences.fire.iter().map(move |&due_at| {
            let occurrence = Occurrence::scheduled(job.id, job.generation, due_at);
            let occurrence = match occurrences.missed {
                Some(MissedRange { from, to }) if to == due_at && from < to => {
                    occurrence.with_missed_since(from)
                }
                _ => occurrence,
            };
            (occurrence, due_at.since(now))
        })
    }
}

impl TickSummary {
    fn plus(self, other: Self) -> Self {
        Self {
            jobs: self.jobs + other.jobs,
            sent: self.sent + other.sent,
            missed: self.missed + other.missed,
        }
    }
}
