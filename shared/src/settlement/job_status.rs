//! [`JobStatus`]: a settlement with its progress, as callers receive it.

use serde::Serialize;

use super::{
    job::{FailureRecord, Job, JobId, State},
    progress::Progress,
};
use crate::time::{Day, Timestamp};

/// A settlement with its progress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobStatus {
    /// Its id.
    pub job_id: JobId,
    /// Its state.
    pub status: State,
    /// First day that it covers.
    pub from: Day,
    /// Last day that it covers.
    pub to: Day,
    /// Entries recorded later are not included.
    pub cutoff: Timestamp,
    /// Percentage of transactions that are summed, to one decimal place, rounded down: 100 only if
    /// all of them are.
    pub progress: f64,
    /// Transactions summed so far.
    pub processed: u64,
    /// All transactions; `None` until they are counted.
    pub total: Option<u64>,
    /// Transactions per second since they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<f64>,
    /// Remaining seconds at this rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<u64>,
    /// When it was requested.
    pub created_at: Timestamp,
    /// When its state last changed or a batch was last summed.
    pub updated_at: Timestamp,
    /// Path of its file, once it is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<FailureRecord>,
}

impl JobStatus {
    /// Combines a settlement with the progress of its batches. `batches` is `None` if the state
    /// alone determines the progress: nothing, or everything.
    #[must_use]
    pub fn of(job: &Job, batches: Option<&Progress>, now: Timestamp) -> Self {
        let total = job.total();
        let all = matches!(job.state, State::Finishing | State::Completed);
        let processed =
            if all { total.unwrap_or(0) } else { batches.map_or(0, |done| done.transactions) };
        let last = batches.and_then(|done| done.last);
        let updated_at = job.updated_at.max(last.unwrap_or(job.updated_at));
        let until = if job.state == State::Running { now } else { updated_at };
        let rate = job.planned.as_ref().and_then(|planned| rate(processed, planned.at, until));
        let remaining = total.unwrap_or(0).saturating_sub(processed);
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
            eta_seconds: rate.filter(|_| !job.state.has_ended()).map(|rate| eta(remaining, rate)),
            created_at: job.created_at,
            updated_at,
            download_url: (job.state == State::Completed)
                .then(|| format!("/downloads/{}.csv", job.id)),
            error: job.failure.clone(),
        }
    }
}

/// Returns the percentage. That of an empty range is 0 until the settlement is completed.
fn progress(processed: u64, total: Option<u64>, state: State) -> f64 {
    let tenths = match total.unwrap_or(0) {
        0 if state == State::Completed => 1_000,
        0 => 0,
        total => u128::from(processed.min(total)) * 1_000 / u128::from(total),
    };
    u32::try_from(tenths).map_or(0.0, f64::from) / 10.0
}

#[expect(clippy::cast_precision_loss, reason = "a displayed rate needs no more digits")]
fn rate(processed: u64, since: Timestamp, until: Timestamp) -> Option<f64> {
    let seconds = until.since(since).as_secs_f64();
    (processed > 0 && seconds > 0.0).then(|| processed as f64 / seconds)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate of positive seconds"
)]
fn eta(remaining: u64, rate: f64) -> u64 {
    (remaining as f64 / rate).ceil() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        ledger::TooLarge,
        settlement::{days::Days, job::PlanSummary, totals::Totals},
    };

    fn at(seconds: u64) -> Timestamp {
        "2026-11-20T12:00:00Z"
            .parse::<Timestamp>()
            .expect("a time")
            .plus(Duration::from_secs(seconds))
    }

    fn job(state: State, total: u64) -> Job {
        let day = "2026-11-19".parse().expect("a day");
        let planned = PlanSummary { total, batches: 1, at: at(10) };
        Job {
            state,
            planned: Some(planned),
            updated_at: at(10),
            ..Job::new(JobId::new(), Days { from: day, to: day }, at(0))
        }
    }

    fn batches(transactions: u64, last: u64) -> Progress {
        let totals = Totals { count: transactions, ..Totals::ZERO };
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
                JobStatus::of(&job(State::Running, total), Some(&batches(processed, 20)), at(20));
            let expected = (percent, processed, Some(total));
            assert_eq!((job_status.progress, job_status.processed, job_status.total), expected);
        }
    }

    #[test]
    fn an_empty_range_has_no_progress_until_it_is_completed() {
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
    fn the_rate_is_measured_since_the_plan_and_gives_the_remaining_time() {
        let running = JobStatus::of(&job(State::Running, 1_000), Some(&batches(250, 30)), at(60));
        assert_eq!(
            (running.rate_per_second, running.eta_seconds, running.updated_at),
            (Some(5.0), Some(150), at(30))
        );
        // After the end, time no longer lowers the rate.
        let cancelled =
            JobStatus::of(&job(State::Cancelled, 1_000), Some(&batches(250, 60)), at(9_999));
        assert_eq!((cancelled.rate_per_second, cancelled.eta_seconds), (Some(5.0), None));
    }

    #[test]
    fn sums_that_overflow_still_have_a_progress() {
        let batches = Progress { totals: Err(TooLarge), ..batches(10, 20) };
        let job_status = JobStatus::of(&job(State::Running, 20), Some(&batches), at(20));
        assert_eq!((job_status.progress, job_status.processed), (50.0, 10));
    }
}
