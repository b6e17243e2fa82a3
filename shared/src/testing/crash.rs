//! Crashes a flow at each of its calls.
//!
//! A flow runs once to count its calls, then twice for each call: it crashes right before the
//! service receives the call, and right after the service has executed it. Each run has its own
//! store, recovers as production would, and is checked.

use super::{Cloud, Fault, Instance};
use crate::config::Config;

/// Runs a flow with a crash at every call, and returns the number of crashes.
///
/// `arrange` fills a new store and returns the input of the flow. `flow` is the code that crashes.
/// `recover` does what happens next in production, in a new instance (the caller retries, the queue
/// redelivers, the next tick comes), and checks the invariants. `recover` also runs once after a
/// flow that did not crash.
pub async fn at_every_call<S>(
    arrange: impl AsyncFn(&Cloud) -> S,
    flow: impl AsyncFn(&Instance, &S),
    recover: impl AsyncFn(&Cloud, &Instance, &S),
) -> usize {
    at_every_call_with(|_| {}, arrange, flow, recover).await
}

/// Same as [`at_every_call`], with changed settings of the instances.
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
    let calls = instance.transport.take_calls().len();
    assert!(calls > 0, "the flow makes no call");
    recover(&cloud, &cloud.instance_with(&change), &state).await;

    for call in 1..=calls {
        for crash in [Fault::CrashBefore, Fault::CrashAfter] {
            let cloud = Cloud::start().await;
            let state = arrange(&cloud).await;
            let crashing = cloud.instance_with(&change);
            crashing.transport.fail_at(u64::try_from(call).expect("few calls"), crash);
            tokio::select! {
                biased;
                () = crashing.transport.crashed() => {}
                () = flow(&crashing, &state) => {
                    panic!("the flow ended without {crash:?} at call {call} of {calls}")
                }
            }
            recover(&cloud, &cloud.instance_with(&change), &state).await;
        }
    }
    calls * 2
}
