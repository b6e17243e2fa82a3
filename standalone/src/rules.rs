//! What happens each minute: the functions of EventBridge's rules, and the removal of what has
//! expired.

use std::{error::Error, sync::Arc, time::Duration};

use embedded::Services;
use jiff::{SignedDuration, Timestamp};
use once::{App, invocation::Invocation, telemetry, uniques::GRACE, worker::Tick};
use tokio::{
    select,
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time,
};
use tracing::{Instrument, error, warn};
use uuid::Uuid;

/// The longest wait without looking at the clock, which may have been set.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// When the minute before can be closed: a tick then publishes its count, which would otherwise
/// wait for the next minute. A tick too many does nothing.
const CLOSING: Duration = GRACE.saturating_add(Duration::from_secs(1));

/// Items that one call of [`embedded::dynamo::Store::expire`] removes.
const EXPIRED_BATCH: usize = 250;

/// A function that a rule invokes each minute.
#[derive(Clone)]
pub(crate) struct Rule {
    pub(crate) function: &'static str,
    pub(crate) tick: Tick,
    pub(crate) timeout: Duration,
}

/// All that happens each minute.
pub(crate) struct Minutes {
    pub(crate) app: App,
    pub(crate) rules: Vec<Rule>,
    pub(crate) services: Services,
    /// The days after which files of the bucket are removed, by the prefix of their keys.
    pub(crate) expirations: Vec<(String, u32)>,
}

impl Minutes {
    /// Runs the rules at once, since the last minute of the process before may be long ago, and
    /// then at the start of each minute and [`CLOSING`] later until `stop` is set; waits for those
    /// that run.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let minutes = Arc::new(self);
        let mut running = JoinSet::new();
        let mut last = None;
        loop {
            let (tick, wait) = tick(Timestamp::now());
            if last.replace(tick) != Some(tick) {
                minutes.start(&mut running);
            }
            while running.try_join_next().is_some() {}
            select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                () = time::sleep(wait.min(MAX_WAIT)) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    fn start(self: &Arc<Self>, running: &mut JoinSet<()>) {
        for rule in &self.rules {
            running.spawn(rule.clone().invoke(self.app.clone()));
        }
        let minutes = Arc::clone(self);
        running.spawn(async move {
            if let Err(error) = minutes.remove_expired(Timestamp::now()).await {
                error!(%error, "Expired data not removed");
            }
        });
    }

    /// Removes items, messages and files whose time is over.
    async fn remove_expired(&self, now: Timestamp) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Services { store, queues, files, .. } = &self.services;
        queues.remove_expired(now).await?;
        // Other writes are executed in between.
        while store.expire(now.as_second()).await? == EXPIRED_BATCH {}
        files.remove_leftovers(now).await?;
        for (prefix, days) in &self.expirations {
            let (files, prefix) = (files.clone(), prefix.clone());
            let before = now - SignedDuration::from_hours(24 * i64::from(*days));
            spawn_blocking(move || files.bucket().expire(&prefix, before)).await??;
        }
        Ok(())
    }
}

impl Rule {
    async fn invoke(self, app: App) {
        let span = telemetry::request_span(self.function, &Uuid::now_v7().to_string());
        let tick = (self.tick)(app).instrument(span);
        match Invocation::starting(self.timeout).run(tick).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(self.function, %error, "Tick failed: the next does its work"),
            Err(error) => warn!(self.function, %error, "Tick ended: the next does its work"),
        }
    }
}

/// Returns the last time at which rules are due, in seconds, and how long it is to the next one.
fn tick(now: Timestamp) -> (i64, Duration) {
    let (minute, closing) = (60_000, i64::try_from(CLOSING.as_millis()).unwrap_or_default());
    let now = now.as_millisecond();
    let start = now - now.rem_euclid(minute);
    let (last, next) = if now < start + closing {
        (start, start + closing)
    } else {
        (start + closing, start + minute)
    };
    (last / 1_000, Duration::from_millis(u64::try_from(next - now).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_due_at_the_start_of_a_minute_and_when_the_one_before_can_be_closed() {
        let at = |time: &str| tick(time.parse().expect("a time"));
        let second = |time: &str| time.parse::<Timestamp>().expect("a time").as_second();
        let (last, wait) = at("2026-11-25T12:00:00Z");
        assert_eq!((last, wait.as_secs()), (second("2026-11-25T12:00:00Z"), 16));
        let (last, wait) = at("2026-11-25T12:00:15.999Z");
        assert_eq!((last, wait.as_millis()), (second("2026-11-25T12:00:00Z"), 1));
        let (last, wait) = at("2026-11-25T12:00:16Z");
        assert_eq!((last, wait.as_secs()), (second("2026-11-25T12:00:16Z"), 44));
        let (last, _) = at("2026-11-25T12:00:59.999Z");
        assert_eq!(last, second("2026-11-25T12:00:16Z"));
    }
}
