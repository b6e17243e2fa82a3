//! The audit: counts published minutes a second time, [`AUDIT_DELAY`] after their end, when the
//! records of instances with wrong clocks exist too.
//!
//! A published count is not changed: a correction is recorded beside it, logged and counted. A
//! correction means that an assumption was violated (`docs/UNIQUES.md`). Reading a minute costs
//! less than a hundredth of writing it.

use tracing::error;
use uuid::Uuid;

use super::{
    AUDIT_DELAY, MinuteCloser,
    close::TimeBox,
    shard_config::ShardConfig,
    store::{Correction, PublishedCount},
};
use crate::{aws::ServiceError, time::Timestamp};

impl MinuteCloser {
    /// Audits all minutes that are due, and returns their number.
    pub(super) async fn audit(
        &self,
        config: &ShardConfig,
        now: Timestamp,
        time_box: &TimeBox,
    ) -> Result<u32, ServiceError> {
        let mut minute = config.audited.map_or(config.first_minute(), |last| last.plus(1));
        let mut audited = 0;
        while minute.end().plus(AUDIT_DELAY) <= now && time_box.is_open() {
            let Some(published) = self.store.published(minute).await? else {
                break; // This minute and all later ones are still to be closed.
            };
            // Once its records expire, a minute cannot be counted any more.
            if now < self.store.expiry(minute) {
                self.audit_minute(&published, config, now).await?;
            }
            self.store.set_audited(minute).await?;
            audited += 1;
            minute = minute.plus(1);
        }
        Ok(audited)
    }

    async fn audit_minute(
        &self,
        published: &PublishedCount,
        config: &ShardConfig,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let &PublishedCount { minute, unique_ids: published, .. } = published;
        let Some(shards) = config.shards(minute) else { return Ok(()) };
        let counted = self.store.count_ids(minute, shards).await?.ids;
        let correction = Correction { minute, published, counted, at: now };
        if counted != published && self.store.correct(&correction, Uuid::now_v7()).await? {
            error!(%minute, published, counted, "Minute corrected");
            metrics::counter!("CorrectedMinutes").increment(1);
            metrics::counter!("LateIds").increment(counted.saturating_sub(published));
        }
        Ok(())
    }
}
