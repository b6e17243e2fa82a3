//! The sums of one day, merged: each shard of the ledger is sorted by merchant, and its batches follow each other, so a day is as many
//! sorted runs as it has shards, however many batches it has.

use std::{collections::VecDeque, iter::Peekable, vec};

use super::{
    Settlement,
    batches::PlanRef,
    csv_report,
    files::part_key,
    job_failure::JobFailure,
    message::BatchId,
    totals::{Row, Totals},
    work::WorkOutcome,
};
use crate::time::Day;

/// The batches of a shard, one after the other: no more than one of them is in memory.
struct Run {
    batches: VecDeque<BatchId>,
    rows: Peekable<vec::IntoIter<Row>>,
}

/// The sums of one day, by merchant.
pub struct Merge<'a> {
    settlement: &'a Settlement,
    plan: PlanRef,
    runs: Vec<Run>,
}

impl Settlement {
    /// The sums of a day of a plan whose batches are all summed.
    pub(super) async fn merge(&self, plan: PlanRef, day: Day) -> Result<Merge<'_>, WorkOutcome> {
        let batches = self.store.done_on(plan, day).await?;
        let runs = batches.chunk_by(|a, b| a.shard == b.shard);
        let runs = runs.map(|run| Run {
            batches: run.iter().copied().collect(),
            rows: Vec::new().into_iter().peekable(),
        });
        Ok(Merge { settlement: self, plan, runs: runs.collect() })
    }
}

impl Merge<'_> {
    /// The next merchant's sums.
    pub async fn next(&mut self) -> Result<Option<Row>, WorkOutcome> {
        for run in &mut self.runs {
            run.fill(self.settlement, self.plan).await?;
        }
        let heads = self.runs.iter_mut().filter_map(|run| run.rows.peek());
        let Some(merchant) = heads.map(|row| row.merchant.clone()).min() else {
            return Ok(None);
        };
        let mut row = Row { merchant, totals: Totals::NOTHING };
        for run in &mut self.runs {
            while let Some(own) = run.rows.next_if(|own| own.merchant == row.merchant) {
                row.totals = row.totals.plus(own.totals).map_err(JobFailure::from)?;
                // A batch may end amid a merchant.
                run.fill(self.settlement, self.plan).await?;
            }
        }
        Ok(Some(row))
    }
}

impl Run {
    /// Reads the next batch, if all of the last one is taken.
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
