//! A schedule: a recurrence, its start and end, and the policies for missed and overlapping runs.

use std::{iter, time::Duration};

use serde::Serialize;

use super::{Misfire, Overlap, ScheduleKind};
use crate::{
    json::{FieldError, FromJson, Object, Value},
    time::Timestamp,
};

/// The resolution of [`Timestamp`].
const MILLISECOND: Duration = Duration::from_millis(1);

/// When a job is due, and the policies for occurrences that were missed and for those that are due
/// while the previous run is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    #[serde(flatten)]
    recurrence: ScheduleKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_at: Option<Timestamp>,
    misfire: Misfire,
    overlap: Overlap,
}

impl FromJson for Schedule {
    fn from_json(value: Value<'_>) -> Result<Self, FieldError> {
        let mut schedule = Object::read(value)?;
        let start_at = schedule.take("start_at")?;
        let end_at = schedule.take("end_at")?;
        let misfire: Misfire = schedule.take("misfire")?.unwrap_or_default();
        let overlap = schedule.take("overlap")?.unwrap_or(misfire.default_overlap());
        let recurrence = ScheduleKind::read(schedule)?;
        Ok(Self { recurrence, start_at, end_at, misfire, overlap })
    }
}

impl Schedule {
    /// Returns the schedule as it is stored, with its start set: without `start_at`, the start is
    /// computed from `now` in whole seconds. Rejects a schedule that ends before its start or not
    /// after `now`, and one without an occurrence at or after `now`.
    pub fn begin(self, now: Timestamp) -> Result<Self, FieldError> {
        self.recurrence.rule().check()?;
        let second = Timestamp::from_millis(now.as_millis().div_euclid(1000) * 1000);
        let (given, end_at) = (self.start_at, self.end_at);
        let start = given.unwrap_or_else(|| self.recurrence.rule().start(second));
        let schedule = Self { start_at: Some(start), ..self };
        let occurs = schedule.first_from(now).is_some();
        match (given, end_at) {
            (Some(start), Some(end)) if end < start => {
                Err(FieldError::new("end_at", "must not be before start_at"))
            }
            (_, Some(end)) if end <= now => Err(FieldError::new("end_at", "must be in the future")),
            (_, Some(_)) if !occurs => {
                Err(FieldError::new("end_at", "must not be before the next occurrence"))
            }
            (_, None) if !occurs => {
                Err(FieldError::new("start_at", "must be earlier: no occurrence is known after it"))
            }
            _ => Ok(schedule),
        }
    }

    /// Returns the first occurrence at or after `at`.
    #[must_use]
    pub fn first_from(&self, at: Timestamp) -> Option<Timestamp> {
        let first = self.recurrence.rule().first_from(self.start(), at.max(self.start()));
        first.filter(|time| self.end_at.is_none_or(|end| *time <= end))
    }

    /// Returns the last occurrence before `at`.
    #[must_use]
    pub fn last_before(&self, at: Timestamp) -> Option<Timestamp> {
        let after_end = self.end_at.map(|end| end.plus(MILLISECOND));
        let last = self
            .recurrence
            .rule()
            .last_before(self.start(), after_end.map_or(at, |end| at.min(end)));
        last.filter(|time| *time >= self.start())
    }

    /// Returns all occurrences at or after `at`, in order.
    pub fn all_from(&self, at: Timestamp) -> impl Iterator<Item = Timestamp> {
        iter::successors(self.first_from(at), |time| {
            // `plus` returns at most the latest timestamp.
            self.first_from(time.plus(MILLISECOND)).filter(|next| next > time)
        })
    }

    /// Returns the next occurrences after `after`, at most `count`.
    #[must_use]
    pub fn next(&self, after: Timestamp, count: usize) -> Vec<Timestamp> {
        self.all_from(after.plus(MILLISECOND)).take(count).collect()
    }

    /// The kind of schedule, with its members.
    #[must_use]
    pub fn recurrence(&self) -> &ScheduleKind {
        &self.recurrence
    }

    /// The policy for occurrences that were missed.
    #[must_use]
    pub fn misfire(&self) -> Misfire {
        self.misfire
    }

    /// The policy for an occurrence that is due while the previous run is live.
    #[must_use]
    pub fn overlap(&self) -> Overlap {
        self.overlap
    }

    /// The earliest possible occurrence; 1970 if the start is not set.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start_at.unwrap_or(Timestamp::from_millis(0))
    }

    /// The latest possible occurrence.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.end_at
    }
}

#[cfg(test)]
mod tests;
