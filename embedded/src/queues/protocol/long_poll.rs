//! Receives that wait for a message.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use tokio::{
    select,
    time::{Instant, sleep_until},
};

use super::{LongPoll, fault::Fault};
use crate::{
    json_call,
    queues::{Error, Queues},
};

/// The service in the header of a call.
const SERVICE: &str = "AmazonSQS";

/// How long a receive waits before it looks for messages without a signal: a send whose caller left
/// gives none.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Queues {
    /// Responds to a request of the SDK. The caller is trusted. A receive that finds no message
    /// waits as long as its caller wants.
    pub async fn respond(&self, request: Request<Bytes>, now: Timestamp) -> http::Response<Bytes> {
        let operation = json_call::operation(&request, SERVICE);
        let clock = Clock { start: now, began: Instant::now() };
        let mut response = self.answer(operation, request.body(), now).await;
        while let Some(poll) = &response.long_poll {
            match self.wait(poll, clock).await {
                Ok(true) => response = self.answer(operation, request.body(), clock.now()).await,
                Ok(false) => break,
                Err(error) => response = Fault::from(error).into(),
            }
        }
        response.into()
    }

    /// Waits for a visible message. `false`: the time of the receive has passed without one.
    async fn wait(&self, poll: &LongPoll, clock: Clock) -> Result<bool, Error> {
        let end = clock.began + Duration::from_secs(poll.wait_s.into());
        // Before the look at the table: a message that comes after it changes the signal.
        let mut arrivals = self.arrivals(&poll.queue)?;
        loop {
            let next = self.next_visible_at(&poll.queue).await?;
            let delay = next.map(|next| next.duration_since(clock.now()));
            if delay.is_some_and(|delay| !delay.is_positive()) {
                return Ok(true);
            }
            if Instant::now() >= end {
                return Ok(false);
            }
            let delay = delay.map_or(LOOK_EVERY, |delay| delay.unsigned_abs().min(LOOK_EVERY));
            select! {
                _ = arrivals.changed() => {}
                () = sleep_until(end.min(Instant::now() + delay)) => {}
            }
        }
    }
}

/// The time during a call: that of the caller when it began, and what has passed since.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: Timestamp,
    began: Instant,
}

impl Clock {
    fn now(self) -> Timestamp {
        self.start.saturating_add(self.began.elapsed()).unwrap_or(Timestamp::MAX)
    }
}
