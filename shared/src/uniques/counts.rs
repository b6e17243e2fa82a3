//! Reading published counts.

use serde::Serialize;

use super::{
    MinuteCount, Uniques,
    store::{Correction, PublishedCount},
};
use crate::{
    aws::ServiceError,
    cursor::Page,
    dynamo::keys,
    time::{Minute, Timestamp},
    validated::Bounded,
};

/// Number of minutes of a page.
pub type Limit = Bounded<1, 1_440>;

/// Number of minutes of a page if the request does not say.
pub const DEFAULT_LIMIT: Limit = Limit::literal::<100>();

/// A published minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The minute.
    pub minute: Minute,
    /// Number of ids accepted in it.
    pub unique_ids: u64,
    /// It was counted after its records had begun to expire, so ids may be missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// The result of the second count, if it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<u64>,
}

impl Uniques {
    /// Reads a page of one minute, so that the connections with their TLS sessions are established
    /// before the first request.
    pub async fn warm_counts(&self, now: Timestamp) -> Result<(), ServiceError> {
        self.counts(Minute::of(now), Minute::of(now), Limit::literal::<1>()).await.map(|_| ())
    }

    /// Returns the newest published minute: one query.
    pub async fn last_published(&self) -> Result<Option<MinuteCount>, ServiceError> {
        let last = self.store.last_published().await?;
        Ok(last.map(|PublishedCount { minute, unique_ids, .. }| MinuteCount { minute, unique_ids }))
    }

    /// Returns the published minutes from `from` to `to`, both included, oldest first: two queries.
    /// The place of the next page is its first minute.
    pub async fn counts(
        &self,
        from: Minute,
        to: Minute,
        limit: Limit,
    ) -> Result<Page<Count, Minute>, ServiceError> {
        let limit = limit.to_usize();
        if to < from {
            return Ok(Page { rows: Vec::new(), next: None });
        }
        let published = self.store.list_between(keys::MINUTES, from, to, limit + 1);
        let corrections = self.store.list_between(keys::CORRECTIONS, from, to, limit + 1);
        let (mut published, corrections): (Vec<PublishedCount>, Vec<Correction>) =
            futures_util::try_join!(published, corrections)?;
        let next =
            (published.len() > limit).then(|| published.pop().map(|next| next.minute)).flatten();
        let corrected = |minute| {
            let correction = corrections.iter().find(|correction| correction.minute == minute);
            correction.map(|correction| correction.counted)
        };
        let count = |PublishedCount { minute, unique_ids, incomplete, .. }: PublishedCount| Count {
            minute,
            unique_ids,
            incomplete,
            corrected: corrected(minute),
        };
        Ok(Page { rows: published.into_iter().map(count).collect(), next })
    }
}
