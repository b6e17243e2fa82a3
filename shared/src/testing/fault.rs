//! What goes wrong on a wire, and when.

use std::{collections::BTreeMap, time::Duration};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is refused: the service never sees the call.
    Refuse,
    /// The service answers that there are too many calls.
    Throttle,
    /// The store cancels the transaction because another one holds its items. Other calls pass.
    Conflict,
    /// The service does what it is asked, and its answer is lost.
    LoseReply,
    /// The call takes so much longer.
    Delay(Duration),
    /// The process dies before the service sees the call.
    DieBefore,
    /// The process dies after the service has done what it was asked.
    DieAfter,
}

/// The faults that are to come.
#[derive(Debug, Default)]
pub(super) struct FaultPlan {
    /// Calls so far.
    calls: u64,
    at: BTreeMap<u64, Fault>,
    randomly: Vec<Kind>,
    always: BTreeMap<String, Fault>,
}

/// A fault that strikes at random.
#[derive(Debug)]
struct Kind {
    rng: fastrand::Rng,
    probability: f64,
    fault: Fault,
}

impl FaultPlan {
    /// The `call`-th call from now on, counted from 1, meets this fault.
    pub(super) fn at(&mut self, call: u64, fault: Fault) {
        self.at.insert(self.calls + call, fault);
    }

    /// One more kind of fault.
    pub(super) fn randomly(&mut self, seed: u64, probability: f64, fault: Fault) {
        self.randomly.push(Kind { rng: fastrand::Rng::with_seed(seed), probability, fault });
    }

    /// Every call of this operation meets this fault, where no other strikes it.
    pub(super) fn always(&mut self, operation: &str, fault: Fault) {
        self.always.insert(operation.to_owned(), fault);
    }

    /// What all calls of this operation meet.
    pub(super) fn of(&self, operation: &str) -> Option<Fault> {
        self.always.get(operation).copied()
    }

    pub(super) fn heal(&mut self) {
        self.always.clear();
        self.at.clear();
        self.randomly.clear();
    }

    /// What the next call meets.
    pub(super) fn next(&mut self) -> Option<Fault> {
        self.calls += 1;
        // All kinds draw at every call, so that none depends on the others.
        let drawn = self.randomly.iter_mut().fold(None, |first, kind| first.or(kind.draw()));
        self.at.remove(&self.calls).or(drawn)
    }
}

impl Kind {
    fn draw(&mut self) -> Option<Fault> {
        (self.rng.f64() < self.probability).then_some(self.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(plan: &mut FaultPlan, calls: usize) -> Vec<Option<Fault>> {
        (0..calls).map(|_| plan.next()).collect()
    }

    #[test]
    fn kinds_strike_side_by_side_as_each_would_alone() {
        let (mut refusals, mut losses, mut both) =
            (FaultPlan::default(), FaultPlan::default(), FaultPlan::default());
        refusals.randomly(1, 0.3, Fault::Refuse);
        losses.randomly(2, 0.3, Fault::LoseReply);
        both.randomly(1, 0.3, Fault::Refuse);
        both.randomly(2, 0.3, Fault::LoseReply);
        let either = met(&mut refusals, 100).into_iter().zip(met(&mut losses, 100));
        let either: Vec<Option<Fault>> = either.map(|(refusal, loss)| refusal.or(loss)).collect();
        assert!(either.contains(&Some(Fault::Refuse)) && either.contains(&Some(Fault::LoseReply)));
        assert_eq!(met(&mut both, 100), either);
    }

    #[test]
    fn an_operation_that_always_fails_does_so_until_it_is_healed() {
        let mut plan = FaultPlan::default();
        plan.always("PutItem", Fault::Refuse);
        assert_eq!((plan.of("PutItem"), plan.of("GetItem")), (Some(Fault::Refuse), None));
        plan.heal();
        assert_eq!(plan.of("PutItem"), None);
    }

    #[test]
    fn a_planned_fault_goes_before_a_random_one_and_healing_ends_both() {
        let mut plan = FaultPlan::default();
        plan.randomly(1, 1.0, Fault::Refuse);
        plan.at(2, Fault::Throttle);
        plan.at(4, Fault::Throttle);
        assert_eq!(met(&mut plan, 3), [Fault::Refuse, Fault::Throttle, Fault::Refuse].map(Some));
        plan.heal();
        assert_eq!(met(&mut plan, 2), [None, None]);
    }
}
