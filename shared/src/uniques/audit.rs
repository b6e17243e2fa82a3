//! Counting published minutes a second time, [`AUDIT`] after their end, when also the records of wrong clocks have come.
//!
//! The published count stands; a correction is recorded beside it, logged and counted. It takes a broken assumption to
//! need one (`docs/UNIQUES.md`), and reading a minute costs less than a hundredth of what writing it has cost.

use tracing::error;
use uuid::Uuid;

use super::{
    AUDIT, MinuteCloser,
    close::TimeBox,
    shard_config::ShardConfig,
    store::{Correction, Published},
};
use crate::{aws::ServiceError, time::Timestamp};

impl MinuteCloser {
    /// Audits all minutes that are due; answers how many.
    pub(super) async fn audit(
        &self,
        counting: &ShardConfig,
        now: Timestamp,
        shift: &TimeBox,
    ) -> Result<u32, ServiceError> {
        let mut minute = counting.audited.map_or(counting.since(), |last| last.plus(1));
        let mut audited = 0;
        while minute.end().plus(AUDIT) <= now && shift.is_on() {
            let Some(published) = self.store.published(minute).await? else {
                break; // The minutes from here on are still to be closed.
            };
            // Of records that expire nothing can be said any more.
            if now < self.store.expiry(minute) {
                self.compare(&published, counting, now).await?;
            }
            self.store.audited(minute).await?;
            audited += 1;
            minute = minute.plus(1);
        }
        Ok(audited)
    }

    async fn compare(
        &self,
        was: &Published,
        counting: &ShardConfig,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let &Published { minute, unique_ids: published, .. } = was;
        let Some(shards) = counting.shards(minute) else { return Ok(()) };
        let counted = self.store.tally(minute, shards).await?.ids;
        let correction = Correction { minute, published, counted, at: now };
        if counted != published && self.store.correct(&correction, Uuid::now_v7()).await? {
            error!(%minute, published, counted, "A published minute has another count");
            metrics::counter!("CorrectedMinutes").increment(1);
            metrics::counter!("LateIds").increment(counted.saturating_sub(published));
        }
        Ok(())
    }
}
