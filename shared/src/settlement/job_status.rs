//! How a job stands, as callers see it.

use serde::Serialize;

use super::{
    batches::Progress,
    job::{Failure, Job, JobId, State},
};
use crate::time::{Day, Timestamp};

/// A job with its progress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobStatus {
    /// Its name.
    pub job_id: JobId,
    /// Where it is.
    pub status: State,
    /// The first day that it settles.
    pub from: Day,
    /// The last one.
    pub to: Day,
    /// Only what was recorded up to this moment is settled.
    pub cutoff: Timestamp,
    /// Percent of the transactions that are summed, with one place, rounded down: 100 only if it is all of them.
    pub progress: f64,
    /// Transactions that are summed.
    pub processed: u64,
    /// Transactions in all; `None` until they are counted.
    pub total: Option<u64>,
    /// Transactions a second, since they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<f64>,
    /// How long it goes on at this rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<u64>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its state changed last, or a batch was summed.
    pub updated_at: Timestamp,
    /// Where its file is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

impl JobStatus {
    /// Of a job whose batches come to this. `summed` is `None` where the state says it all: nothing yet, or everything.
    #[must_use]
    pub fn of(job: &Job, summed: Option<&Progress>, now: Timestamp) -> Self {
        let total = job.total();
        let all = matches!(job.state, State::Finishing | State::Completed);
        let processed =
            if all { total.unwrap_or(0) } else { summed.map_or(0, |summed| summed.transactions) };
        let last = summed.and_then(|summed| summed.last);
        let updated_at = job.updated_at.max(last.unwrap_or(job.updated_at));
        let until = if job.state == State::Running { now } else { updated_at };
        let rate = job.planned.as_ref().and_then(|planned| rate(processed, planned.at, until));
        let left = total.unwrap_or(0).saturating_sub(processed);
        Self {
            job_id: job.id,
            status: job.state,
            from: job.days.from,
            to: job.days.to,
            cutoff: job.cutoff,
            progress: progress(processed, total, job.state),
            processed,
            total,
            rate_per_second: rate.map(|rate| (rate * 10.0).round() / 10.0),
            eta_seconds: rate.filter(|_| !job.state.is_over()).map(|rate| eta(left, rate)),
            created_at: job.created_at,
            updated_at,
            download_url: (job.state == State::Completed)
                .then(|| format!("/downloads/{}.csv", job.id)),
            error: job.failure.clone(),
        }
    }
}

/// Of an empty range all is done once it is completed, and nothing before.
fn progress(processed: u64, total: Option<u64>, state: State) -> f64 {
    let tenths = match total.unwrap_or(0) {
        0 if state == State::Completed => 1_000,
        0 => 0,
        total => u128::from(processed.min(total)) * 1_000 / u128::from(total),
    };
    u32::try_from(tenths).map_or(0.0, f64::from) / 10.0
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn rate(processed: u64, since: Timestamp, until: Timestamp) -> Option<f64> {
    let seconds = until.since(since).as_secs_f64();
    (processed > 0 && seconds > 0.0).then(|| processed as f64 / seconds)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rough time"
)]
fn eta(left: u64, rate: f64) -> u64 {
    (left as f64 / rate).ceil() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        ledger::TooLarge,
        settlement::{job::Planned, range::Days, totals::Totals},
    };

    fn at(seconds: u64) -> Timestamp {
        "2026-11-20T12:00:00Z"
            .parse::<Timestamp>()
            .expect("a time")
            .plus(Duration::from_secs(seconds))
    }

    fn job(state: State, total: u64) -> Job {
        let day = "2026-11-19".parse().expect("a day");
        let planned = Planned { total, batches: 1, at: at(10) };
        Job {
            state,
            planned: Some(planned),
            updated_at: at(10),
            ..Job::new(JobId::new(), Days { from: day, to: day }, at(0))
        }
    }

    fn summed(transactions: u64, last: u64) -> Progress {
        let totals = Totals { count: transactions, ..Totals::NOTHING };
        Progress { transactions, batches: 1, totals: Ok(totals), last: Some(at(last)) }
    }

    #[test]
    fn progress_is_rounded_down_so_that_100_is_all() {
        for (processed, total, percent) in [
            (0, 3, 0.0),
            (1, 3, 33.3),
            (2, 3, 66.6),
            (635_000, 1_000_000, 63.5),
            (999_999, 1_000_000, 99.9),
            (1_000_000, 1_000_000, 100.0),
            (u64::MAX - 1, u64::MAX, 99.9),
        ] {
            let job_status =
                JobStatus::of(&job(State::Running, total), Some(&summed(processed, 20)), at(20));
            let expected = (percent, processed, Some(total));
            assert_eq!((job_status.progress, job_status.processed, job_status.total), expected);
        }
    }

    #[test]
    fn an_empty_range_is_done_when_it_is_completed() {
        for (state, percent) in
            [(State::Running, 0.0), (State::Finishing, 0.0), (State::Completed, 100.0)]
        {
            let job_status = JobStatus::of(&job(state, 0), None, at(20));
            assert_eq!(
                (job_status.progress, job_status.rate_per_second, job_status.eta_seconds),
                (percent, None, None)
            );
        }
    }

    #[test]
    fn the_rate_counts_from_the_plan_and_tells_what_is_left() {
        let running = JobStatus::of(&job(State::Running, 1_000), Some(&summed(250, 30)), at(60));
        assert_eq!(
            (running.rate_per_second, running.eta_seconds, running.updated_at),
            (Some(5.0), Some(150), at(30))
        );
        // Once it is over, time does not slow it down.
        let cancelled =
            JobStatus::of(&job(State::Cancelled, 1_000), Some(&summed(250, 60)), at(9_999));
        assert_eq!((cancelled.rate_per_second, cancelled.eta_seconds), (Some(5.0), None));
    }

    #[test]
    fn sums_that_are_too_large_still_have_a_progress() {
        let summed = Progress { totals: Err(TooLarge), ..summed(10, 20) };
        let job_status = JobStatus::of(&job(State::Running, 20), Some(&summed), at(20));
        assert_eq!((job_status.progress, job_status.processed), (50.0, 10));
    }
}
