//! Each minute: messages for the occurrences that are due, and then the jobs are moved on.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, future::join_all, stream};
use tokio::time::Instant;
use tracing::info;

use super::{
    Schedules,
    plan::{Missed, Plan, horizon, plan},
    run::Occurrence,
    store::Due,
    when::Misfire,
};
use crate::{
    aws::ServiceError,
    dynamo::{Json, keys::DUE_SHARDS},
    time::Timestamp,
};

/// Jobs of a page of the index.
const PAGE: i32 = 100;

/// Jobs of a page that are moved on at the same time.
const JOBS_AT_ONCE: usize = 16;

/// How long a tick begins new pages; the function ends at 50 s. What is left is for the next tick.
const WORK: Duration = Duration::from_secs(35);

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TickSummary {
    /// Jobs that were due.
    pub jobs: u64,
    /// Occurrences that messages were sent for.
    pub sent: u64,
    /// Jobs with occurrences that were missed and do not fire by themselves.
    pub missed: u64,
}

/// What is sent for a job, and where it goes on.
struct Dispatch<'a> {
    due: &'a Due,
    misfire: Misfire,
    plan: Plan,
}

impl Schedules {
    /// Sends what is due until the end of the next minute.
    ///
    /// # Errors
    /// A service failed: the next tick goes on where this one stopped. What was sent and not moved past comes twice.
    pub async fn tick(&self, now: Timestamp) -> Result<TickSummary, ServiceError> {
        let began = Instant::now();
        // A shard that fails keeps no other from its work.
        let shards =
            join_all((0..DUE_SHARDS).map(|shard| Box::pin(self.tick_shard(shard, now, began))))
                .await;
        let ticked = shards
            .into_iter()
            .try_fold(TickSummary::default(), |all, shard| shard.map(|shard| all.and(shard)))?;
        if ticked.jobs > 0 {
            info!(ticked.jobs, ticked.sent, ticked.missed, "Sent what is due");
        }
        metrics::counter!("OccurrencesSent").increment(ticked.sent);
        metrics::counter!("SchedulesMissed").increment(ticked.missed);
        Ok(ticked)
    }

    async fn tick_shard(
        &self,
        shard: u64,
        now: Timestamp,
        began: Instant,
    ) -> Result<TickSummary, ServiceError> {
        let (mut ticked, mut after) = (TickSummary::default(), None);
        while began.elapsed() < WORK {
            let (page, last) = self.store.due(shard, horizon(now), PAGE, after).await?;
            ticked = ticked.and(self.dispatch(&page, now).await?);
            if last.is_none() {
                break;
            }
            after = last;
        }
        Ok(ticked)
    }

    /// Sends what is due of these jobs, and then moves them on.
    pub(super) async fn dispatch(
        &self,
        page: &[Due],
        now: Timestamp,
    ) -> Result<TickSummary, ServiceError> {
        let due = page.iter().filter_map(|due| {
            let Json(schedule) = due.schedule.as_ref()?;
            Some(Dispatch {
                due,
                misfire: schedule.misfire(),
                plan: plan(schedule, due.next_run_at, now),
            })
        });
        let dispatches: Vec<Dispatch<'_>> = due.collect();
        let messages: Vec<(Occurrence, Duration)> =
            dispatches.iter().flat_map(|dispatch| dispatch.messages(now)).collect();
        let sent = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        self.queue().send_each(messages).await?;
        let moved =
            dispatches.iter().map(|dispatch| self.move_on(dispatch, now)).collect::<Vec<_>>();
        let moved: Vec<TickSummary> =
            stream::iter(moved).buffer_unordered(JOBS_AT_ONCE).try_collect().await?;
        Ok(moved.into_iter().fold(TickSummary { sent, ..TickSummary::default() }, TickSummary::and))
    }

    async fn move_on(
        &self,
        Dispatch { due, misfire, plan }: &Dispatch<'_>,
        now: Timestamp,
    ) -> Result<TickSummary, ServiceError> {
        let missed = plan.missed.filter(|_| *misfire == Misfire::Skip);
        if let Some(Missed { from, to }) = missed {
            let last = Occurrence::of_schedule(due.id, due.generation, to).standing_for(from);
            self.runs
                .skip(
                    &last,
                    "MISSED: nothing was there to fire it, and the schedule skips what is missed",
                    now,
                )
                .await?;
        }
        if self.store.advance(due, plan.next).await?
            && let Some(Missed { from, to }) = plan.missed
        {
            info!(job.id = %due.id, %from, %to, "Occurrences were missed");
        }
        Ok(TickSummary { jobs: 1, sent: 0, missed: plan.missed.is_some().into() })
    }
}

impl Dispatch<'_> {
    fn messages(&self, now: Timestamp) -> impl Iterator<Item = (Occurrence, Duration)> {
        let Self { due, plan, .. } = self;
        plan.fire.iter().map(move |&at| {
            let occurrence = Occurrence::of_schedule(due.id, due.generation, at);
            let occurrence = match plan.missed {
                Some(Missed { from, to }) if to == at && from < to => occurrence.standing_for(from),
                _ => occurrence,
            };
            (occurrence, at.since(now))
        })
    }
}

impl TickSummary {
    fn and(self, other: Self) -> Self {
        Self {
            jobs: self.jobs + other.jobs,
            sent: self.sent + other.sent,
            missed: self.missed + other.missed,
        }
    }
}
