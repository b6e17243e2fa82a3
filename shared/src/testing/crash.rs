//! The process dies between any two calls: a flow is run once to count its calls, then again for each of them, dying right
//! before the store sees the call and right after the store has done it. Each time on a store of its own, recovered as
//! production would recover, and checked.

use super::{Cloud, Fault, Instance};
use crate::config::Config;

/// Runs the crash points of a flow.
///
/// `arrange` fills a new store and says what the flow needs to know; `flow` is what dies; `recover` is what happens next in
/// production, in a new process (the caller retries, the queue redelivers, the next tick comes), and checks the invariants.
/// `recover` also runs once after a flow that did not die.
///
/// Answers how many times the flow died.
pub async fn at_every_call<S>(
    arrange: impl AsyncFn(&Cloud) -> S,
    flow: impl AsyncFn(&Instance, &S),
    recover: impl AsyncFn(&Cloud, &Instance, &S),
) -> usize {
    at_every_call_with(|_| {}, arrange, flow, recover).await
}

/// The same for processes with settings of their own.
pub async fn at_every_call_with<S>(
    change: impl Fn(&mut Config),
    arrange: impl AsyncFn(&Cloud) -> S,
    flow: impl AsyncFn(&Instance, &S),
    recover: impl AsyncFn(&Cloud, &Instance, &S),
) -> usize {
    let cloud = Cloud::start().await;
    let state = arrange(&cloud).await;
    let instance = cloud.instance_with(&change);
    flow(&instance, &state).await;
    let calls = instance.transport.take_sent().len();
    assert!(calls > 0, "the flow makes no call");
    recover(&cloud, &cloud.instance_with(&change), &state).await;

    for call in 1..=calls {
        for death in [Fault::DieBefore, Fault::DieAfter] {
            let cloud = Cloud::start().await;
            let state = arrange(&cloud).await;
            let doomed = cloud.instance_with(&change);
            doomed.transport.fail_at(u64::try_from(call).expect("few calls"), death);
            tokio::select! {
                biased;
                () = doomed.transport.death() => {}
                () = flow(&doomed, &state) => panic!("the flow outlived {death:?} at call {call} of {calls}"),
            }
            recover(&cloud, &cloud.instance_with(&change), &state).await;
        }
    }
    calls * 2
}
