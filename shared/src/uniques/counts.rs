//! Reading published counts.

use serde::Serialize;

use super::{
    MinuteCount, Uniques,
    store::{Correction, Published},
};
use crate::{
    aws::ServiceError,
    dynamo::keys,
    time::{Minute, Timestamp},
    validated::Bounded,
};

/// Minutes of a page.
pub type Limit = Bounded<1, 1_440>;

/// The minutes of a page where no number is asked for.
pub const DEFAULT_LIMIT: Limit = Limit::literal::<100>();

/// A published minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The minute.
    pub minute: Minute,
    /// How many ids were accepted in it.
    pub unique_ids: u64,
    /// It was counted after its records had begun to expire: there may have been more ids.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// What a second count found, where it is another number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u64>,
}

/// A page, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The minutes.
    pub counts: Vec<Count>,
    /// The minute with which the next page begins; `None`: this was the last page.
    pub next_cursor: Option<Minute>,
}

impl Uniques {
    /// One cheap page, so that the connections stand and TLS is set up before the first request.
    pub async fn warm_counts(&self, now: Timestamp) -> Result<(), ServiceError> {
        self.counts(Minute::of(now), Minute::of(now), Limit::literal::<1>()).await.map(|_| ())
    }

    /// The newest published minute: one query.
    pub async fn last_published(&self) -> Result<Option<MinuteCount>, ServiceError> {
        let last = self.store.last_published().await?;
        Ok(last.map(|Published { minute, unique_ids, .. }| MinuteCount { minute, unique_ids }))
    }

    /// The published minutes from one to another, both included: two queries.
    pub async fn counts(
        &self,
        from: Minute,
        to: Minute,
        limit: Limit,
    ) -> Result<Counts, ServiceError> {
        let limit = limit.to_usize();
        if to < from {
            return Ok(Counts { counts: Vec::new(), next_cursor: None });
        }
        let published = self.store.between(keys::MINUTES, from, to, limit + 1);
        let corrections = self.store.between(keys::CORRECTIONS, from, to, limit + 1);
        let (mut published, corrections): (Vec<Published>, Vec<Correction>) =
            futures_util::try_join!(published, corrections)?;
        let next_cursor =
            (published.len() > limit).then(|| published.pop().map(|next| next.minute)).flatten();
        let corrected = |minute| {
            corrections.iter().find(|found| found.minute == minute).map(|found| found.counted)
        };
        let count = |Published { minute, unique_ids, incomplete, .. }: Published| Count {
            minute,
            unique_ids,
            incomplete,
            corrected: corrected(minute),
        };
        Ok(Counts { counts: published.into_iter().map(count).collect(), next_cursor })
    }
}
