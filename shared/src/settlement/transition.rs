//! How a job goes from one state to another. This file and the picture in `docs/SETTLEMENT.md` are the two places that know.

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use super::job::{Failure, File, Planned, State};
use crate::{
    aws::ServiceError,
    dynamo::{keys, number, text, written},
};

/// A move of a job. Each is one conditional update: it happens if the job is in the state that it starts from and is still the one
/// that was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Its plan is ready.
    Run { run: u32, plan: Uuid, planned: Planned },
    /// No batch of the plan is left.
    Finish { plan: Uuid },
    /// The file and the settled days are written.
    Complete { plan: Uuid, file: File },
    /// A caller stops it.
    Cancel,
    /// This run of it cannot be done.
    Fail { run: u32, failure: Failure },
    /// A caller wants it tried once more, from the beginning.
    Retry { run: u32 },
}

/// What an update sets and removes, and what must hold besides the state.
#[derive(Debug, Default)]
pub struct Change {
    pub set: Vec<(&'static str, AttributeValue)>,
    pub remove: Vec<&'static str>,
    pub same: Option<(&'static str, AttributeValue)>,
}

impl Transition {
    /// The states that it starts from.
    #[must_use]
    pub fn from(&self) -> &'static [State] {
        match self {
            Self::Run { .. } => &[State::Queued],
            Self::Finish { .. } => &[State::Running],
            Self::Complete { .. } => &[State::Finishing],
            // What is being finished is published as a whole: from there on nobody stops it.
            Self::Cancel => &[State::Queued, State::Running],
            Self::Fail { .. } => &[State::Queued, State::Running, State::Finishing],
            Self::Retry { .. } => &[State::Failed],
        }
    }

    /// The state that it ends in.
    #[must_use]
    pub fn to(&self) -> State {
        match self {
            Self::Run { .. } => State::Running,
            Self::Finish { .. } => State::Finishing,
            Self::Complete { .. } => State::Completed,
            Self::Cancel => State::Cancelled,
            Self::Fail { .. } => State::Failed,
            Self::Retry { .. } => State::Queued,
        }
    }

    /// What it writes besides the state. Whatever was leased or watched was so in the old state.
    pub fn change(&self) -> Result<Change, ServiceError> {
        let plan_of = |plan: &Uuid| Some(("plan", text(plan.to_string())));
        let run_of = |run: &u32| Some(("run", number(*run)));
        let mut change = match self {
            Self::Run { run, plan, planned } => Change {
                set: vec![("plan", text(plan.to_string())), ("planned", written(planned)?)],
                same: run_of(run),
                ..Change::default()
            },
            Self::Finish { plan } => Change { same: plan_of(plan), ..Change::default() },
            Self::Complete { plan, file } => Change {
                set: vec![("file", written(file)?)],
                same: plan_of(plan),
                ..Change::default()
            },
            Self::Cancel => Change::default(),
            Self::Fail { run, failure } => Change {
                set: vec![("failure", written(failure)?)],
                same: run_of(run),
                ..Change::default()
            },
            Self::Retry { run } => Change {
                set: vec![("run", number(run + 1)), ("live_pk", text(keys::LIVE))],
                remove: vec!["plan", "planned", "failure"],
                same: run_of(run),
            },
        };
        change.remove.extend(["lease_owner", "lease_until", "watch"]);
        change.remove.extend(self.to().is_over().then_some("live_pk"));
        Ok(change)
    }
}
