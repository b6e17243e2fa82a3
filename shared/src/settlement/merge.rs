//! [`Merge`] of the sums of a day. Each shard of the ledger is sorted by merchant, and its batches
//! follow each other, so a day is one sorted run per shard, regardless of its number of batches.

use std::{collections::VecDeque, iter::Peekable, vec};

use super::{
    Settlement, csv_report,
    files::part_key,
    job::PlanRef,
    job_failure::JobFailure,
    message::BatchId,
    totals::{Row, Totals},
    work::WorkOutcome,
};
use crate::time::Day;

/// The batches of a shard in order, of which at most one is in memory.
struct SortedRun {
    batches: VecDeque<BatchId>,
    rows: Peekable<vec::IntoIter<Row>>,
}

/// The sums of a day, by merchant.
pub struct Merge<'a> {
    settlement: &'a Settlement,
    plan: PlanRef,
    runs: Vec<SortedRun>,
}

impl Settlement {
    /// Merges the sums of a day of a plan all of whose batches are finished.
    pub(super) async fn merge(&self, plan: PlanRef, day: Day) -> Result<Merge<'_>, WorkOutcome> {
        let batches = self.store.finished_on(plan, day).await?;
        let runs = batches.chunk_by(|a, b| a.shard == b.shard);
        let runs = runs.map(|run| SortedRun {
            batches: run.iter().copied().collect(),
            rows: Vec::new().into_iter().peekable(),
        });
        Ok(Merge { settlement: self, plan, runs: runs.collect() })
    }
}

impl Merge<'_> {
    /// Returns the sums of the next merchant.
    pub async fn next(&mut self) -> Result<Option<Row>, WorkOutcome> {
        for run in &mut self.runs {
            run.fill(self.settlement, self.plan).await?;
        }
        let heads = self.runs.iter_mut().filter_map(|run| run.rows.peek());
        let Some(merchant) = heads.map(|row| row.merchant.clone()).min() else {
            return Ok(None);
        };
        let mut row = Row { merchant, totals: Totals::ZERO };
        for run in &mut self.runs {
            while let Some(next) = run.rows.next_if(|next| next.merchant == row.merchant) {
                row.totals = row.totals.plus(next.totals).map_err(JobFailure::from)?;
                // A batch may end within a merchant.
                run.fill(self.settlement, self.plan).await?;
            }
        }
        Ok(Some(row))
    }
}

impl SortedRun {
    /// Reads the next batch, if the previous one is used up.
    async fn fill(&mut self, settlement: &Settlement, plan: PlanRef) -> Result<(), WorkOutcome> {
        while self.rows.peek().is_none()
            && let Some(batch) = self.batches.pop_front()
        {
            let bytes = settlement.files().get(&part_key(plan, batch)).await?;
            let rows = bytes
                .as_deref()
                .and_then(csv_report::read_part)
                .ok_or(JobFailure::PartUnreadable(batch))?;
            self.rows = rows.into_iter().peekable();
        }
        Ok(())
    }
}
