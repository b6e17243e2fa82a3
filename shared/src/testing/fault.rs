//! Faults that are injected into calls, and the plan of when.

use std::{collections::BTreeMap, time::Duration};

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is refused: the service does not receive the call.
    Refuse,
    /// The service responds that there are too many calls.
    Throttle,
    /// The store cancels the transaction because of a conflict with another one. Other calls pass.
    Conflict,
    /// The service executes the call, and its response is lost.
    LoseReply,
    /// The call is delayed by this time.
    Delay(Duration),
    /// The instance crashes before the service receives the call.
    CrashBefore,
    /// The instance crashes after the service has executed the call.
    CrashAfter,
}

/// The faults of future calls.
#[derive(Debug, Default)]
pub(super) struct FaultPlan {
    /// Number of calls so far.
    calls: u64,
    /// Faults by the number of their call.
    at: BTreeMap<u64, Fault>,
    random: Vec<RandomFault>,
    /// Faults of all calls of an operation.
    always: BTreeMap<String, Fault>,
}

/// A fault that each call meets with a probability.
#[derive(Debug)]
struct RandomFault {
    rng: fastrand::Rng,
    probability: f64,
    fault: Fault,
}

impl FaultPlan {
    /// Injects a fault into one call: 1 is the next one.
    pub(super) fn at(&mut self, call: u64, fault: Fault) {
        self.at.insert(self.calls + call, fault);
    }

    /// Adds a random fault.
    pub(super) fn randomly(&mut self, seed: u64, probability: f64, fault: Fault) {
        let rng = fastrand::Rng::with_seed(seed);
        self.random.push(RandomFault { rng, probability, fault });
    }

    /// Injects a fault into every call of this operation that meets no other fault.
    pub(super) fn always(&mut self, operation: &str, fault: Fault) {
        self.always.insert(operation.to_owned(), fault);
    }

    /// Returns the fault of all calls of this operation.
    pub(super) fn of_operation(&self, operation: &str) -> Option<Fault> {
        self.always.get(operation).copied()
    }

    /// Removes all faults.
    pub(super) fn heal(&mut self) {
        self.always.clear();
        self.at.clear();
        self.random.clear();
    }

    /// Returns the fault of the next call.
    pub(super) fn next(&mut self) -> Option<Fault> {
        self.calls += 1;
        // Every random fault draws at every call, so that none depends on the others.
        let drawn = self.random.iter_mut().fold(None, |first, fault| first.or(fault.draw()));
        self.at.remove(&self.calls).or(drawn)
    }
}

impl RandomFault {
    fn draw(&mut self) -> Option<Fault> {
        (self.rng.f64() < self.probability).then_some(self.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_faults(plan: &mut FaultPlan, calls: usize) -> Vec<Option<Fault>> {
        (0..calls).map(|_| plan.next()).collect()
    }

    #[test]
    fn random_faults_occur_together_as_each_would_alone() {
        let (mut refusals, mut losses, mut both) =
            (FaultPlan::default(), FaultPlan::default(), FaultPlan::default());
        refusals.randomly(1, 0.3, Fault::Refuse);
        losses.randomly(2, 0.3, Fault::LoseReply);
        both.randomly(1, 0.3, Fault::Refuse);
        both.randomly(2, 0.3, Fault::LoseReply);
        let either = next_faults(&mut refusals, 100).into_iter().zip(next_faults(&mut losses, 100));
        let either: Vec<Option<Fault>> = either.map(|(refusal, loss)| refusal.or(loss)).collect();
        assert!(either.contains(&Some(Fault::Refuse)) && either.contains(&Some(Fault::LoseReply)));
        assert_eq!(next_faults(&mut both, 100), either);
    }

    #[test]
    fn an_operation_that_always_fails_does_so_until_it_is_healed() {
        let mut plan = FaultPlan::default();
        plan.always("PutItem", Fault::Refuse);
        assert_eq!(plan.of_operation("PutItem"), Some(Fault::Refuse));
        assert_eq!(plan.of_operation("GetItem"), None);
        plan.heal();
        assert_eq!(plan.of_operation("PutItem"), None);
    }

    #[test]
    fn a_planned_fault_takes_precedence_over_a_random_one_and_healing_removes_both() {
        let mut plan = FaultPlan::default();
        plan.randomly(1, 1.0, Fault::Refuse);
        plan.at(2, Fault::Throttle);
        plan.at(4, Fault::Throttle);
        assert_eq!(
            next_faults(&mut plan, 3),
            [Fault::Refuse, Fault::Throttle, Fault::Refuse].map(Some)
        );
        plan.heal();
        assert_eq!(next_faults(&mut plan, 2), [None, None]);
    }
}
