//! The state machine of settlements. Only this file and the diagram in `docs/SETTLEMENT.md` know
//! it.

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use super::job::{FailureRecord, Job, PlanSummary, ReportFile, State};
use crate::{
    aws::ServiceError,
    dynamo::{keys, number, text, to_attribute},
};

/// A change of state: one conditional update, applied if the settlement is in one of the states
/// that it starts from and is still at the intended run or plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// The plan is ready.
    Run { run: u32, plan: Uuid, planned: PlanSummary },
    /// No batch of the plan is pending.
    Finish { plan: Uuid },
    /// The file and the settled days are written.
    Complete { plan: Uuid, file: ReportFile },
    /// A caller cancels the settlement.
    Cancel,
    /// The run failed.
    Fail { run: u32, failure: FailureRecord },
    /// A caller retries the settlement from the beginning, as the next run.
    Retry { run: u32 },
}

/// Result of a transition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransitionOutcome {
    /// It was applied; the settlement as it is now.
    Applied(Job),
    /// Its condition failed; the settlement as it is.
    Rejected(Job),
    /// The settlement does not exist.
    NotFound,
}

/// Attributes that a transition sets and removes, and the one that must be equal besides the state.
#[derive(Debug, Default)]
pub struct Change {
    pub set: Vec<(&'static str, AttributeValue)>,
    pub remove: Vec<&'static str>,
    pub same: Option<(&'static str, AttributeValue)>,
}

impl Transition {
    /// Returns the states that it starts from.
    #[must_use]
    pub fn from(&self) -> &'static [State] {
        match self {
            Self::Run { .. } => &[State::Queued],
            Self::Finish { .. } => &[State::Running],
            Self::Complete { .. } => &[State::Finishing],
            // A settlement that is being published is published as a whole.
            Self::Cancel => &[State::Queued, State::Running],
            Self::Fail { .. } => &[State::Queued, State::Running, State::Finishing],
            Self::Retry { .. } => &[State::Failed],
        }
    }

    /// Returns the state that it ends in.
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

    /// Returns the changes besides the state. Lease and watch belong to the old state and are
    /// removed.
    pub fn change(&self) -> Result<Change, ServiceError> {
        let plan_of = |plan: &Uuid| Some(("plan", text(plan.to_string())));
        let run_of = |run: &u32| Some(("run", number(*run)));
        let mut change = match self {
            Self::Run { run, plan, planned } => Change {
                set: vec![("plan", text(plan.to_string())), ("planned", to_attribute(planned)?)],
                same: run_of(run),
                ..Change::default()
            },
            Self::Finish { plan } => Change { same: plan_of(plan), ..Change::default() },
            Self::Complete { plan, file } => Change {
                set: vec![("file", to_attribute(file)?)],
                same: plan_of(plan),
                ..Change::default()
            },
            Self::Cancel => Change::default(),
            Self::Fail { run, failure } => Change {
                set: vec![("failure", to_attribute(failure)?)],
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
        change.remove.extend(self.to().has_ended().then_some("live_pk"));
        Ok(change)
    }
}
