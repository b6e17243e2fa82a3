//! Random steps of a queue and its dead-letter queue, against a model: a list of messages.

use proptest::{prelude::*, sample::Index, test_runner::RngSeed};

use super::*;

/// Retention of both queues: short, so that messages expire within a run.
const RETENTION_S: u32 = 90;

#[derive(Debug, Clone)]
enum Step {
    Send {
        delay_s: Option<u32>,
    },
    Receive {
        from_dead: bool,
        max_messages: u32,
        timeout_s: Option<u32>,
    },
    Delete {
        delivery: Index,
    },
    Hide {
        delivery: Index,
        timeout_s: u32,
    },
    /// Moves the clock, sometimes back.
    Wait {
        milliseconds: i64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let timeout = || prop_oneof![Just(0), 1..40_u32];
    let step = prop_oneof![
        3 => proptest::option::of(0..20_u32).prop_map(|delay_s| Step::Send { delay_s }),
        5 => (prop::bool::weighted(0.2), 1..=10_u32, proptest::option::of(timeout())).prop_map(
            |(from_dead, max_messages, timeout_s)| {
                Step::Receive { from_dead, max_messages, timeout_s }
            }
        ),
        2 => any::<Index>().prop_map(|delivery| Step::Delete { delivery }),
        2 => (any::<Index>(), timeout())
            .prop_map(|(delivery, timeout_s)| Step::Hide { delivery, timeout_s }),
        4 => (-4_000..20_000_i64).prop_map(|milliseconds| Step::Wait { milliseconds }),
    ];
    proptest::collection::vec(step, 1..120)
}

/// A message of the model.
#[derive(Debug)]
struct Entry {
    /// Its number, in the order of sending.
    body: String,
    is_dead: bool,
    sent_at: Millis,
    visible_at: Millis,
    received_at: Option<Millis>,
    receive_count: u32,
}

#[derive(Debug, Default)]
struct Model(Vec<Entry>);

impl Model {
    fn receive(
        &mut self,
        from_dead: bool,
        max_messages: u32,
        timeout_s: u32,
        now: Millis,
    ) -> Vec<(String, u32)> {
        self.0.retain(|entry| entry.is_dead != from_dead || is_live(entry, now));
        let mut visible: Vec<&mut Entry> = self
            .0
            .iter_mut()
            .filter(|entry| entry.is_dead == from_dead && entry.visible_at <= now)
            .collect();
        visible.sort_by_key(|entry| (entry.visible_at, entry.received_at, entry.sent_at));
        let mut delivered = Vec::new();
        for entry in visible {
            if delivered.len() == max_messages as usize {
                break;
            }
            if !from_dead && entry.receive_count == 3 {
                (entry.is_dead, entry.visible_at, entry.received_at) = (true, now, None);
                continue;
            }
            entry.receive_count += 1;
            entry.received_at = Some(now);
            entry.visible_at = now + i64::from(timeout_s) * 1_000;
            delivered.push((entry.body.clone(), entry.receive_count));
        }
        delivered
    }

    /// Returns whether the message was in flight by this delivery.
    fn hide(&mut self, delivery: &Message, timeout_s: u32, now: Millis) -> bool {
        let from_dead = delivery.receipt.queue == "dead";
        let entry = self.0.iter_mut().find(|entry| {
            entry.body == delivery.body
                && entry.is_dead == from_dead
                && entry.receive_count == delivery.receive_count
                && entry.received_at.is_some()
                && entry.visible_at > now
        });
        let is_in_flight = entry.is_some();
        if let Some(entry) = entry {
            entry.visible_at = now + i64::from(timeout_s) * 1_000;
        }
        is_in_flight
    }

    fn delete(&mut self, delivery: &Message) {
        let from_dead = delivery.receipt.queue == "dead";
        self.0.retain(|entry| entry.body != delivery.body || entry.is_dead != from_dead);
    }

    fn depth(&self, of_dead: bool, now: Millis) -> Depth {
        let mut depth = Depth::default();
        for entry in self.0.iter().filter(|entry| entry.is_dead == of_dead && is_live(entry, now)) {
            *match (entry.visible_at <= now, entry.received_at) {
                (true, _) => &mut depth.visible,
                (false, Some(_)) => &mut depth.in_flight,
                (false, None) => &mut depth.delayed,
            } += 1;
        }
        depth
    }
}

fn is_live(entry: &Entry, now: Millis) -> bool {
    now - entry.sent_at < i64::from(RETENTION_S) * 1_000
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn queues_do_what_the_model_does(steps in steps()) {
        let table = Table::new();
        let queue = Queue { retention_s: RETENTION_S, ..work() };
        let dead = Queue { retention_s: RETENTION_S, ..dead() };
        let mut model = Model::default();
        let mut deliveries: Vec<Message> = Vec::new();
        let (mut now, mut sent) = (at(0), 0);
        for step in steps {
            match step {
                Step::Send { delay_s } => {
                    let body = sent.to_string();
                    sent += 1;
                    let outgoing = match delay_s {
                        Some(delay_s) => message(&body).with_delay(delay_s).expect("a delay"),
                        None => message(&body),
                    };
                    table.send_all(&queue, &[outgoing], now);
                    model.0.push(Entry {
                        body,
                        is_dead: false,
                        sent_at: now,
                        visible_at: now + i64::from(delay_s.unwrap_or(0)) * 1_000,
                        received_at: None,
                        receive_count: 0,
                    });
                }
                Step::Receive { from_dead, max_messages, timeout_s } => {
                    let options = ReceiveOptions::new(max_messages).expect("options");
                    let options = timeout_s.map_or(options, |timeout_s| {
                        options.with_visibility_timeout(timeout_s).expect("options")
                    });
                    let from = if from_dead { &dead } else { &queue };
                    let received = table.receive_with(from, options, now);
                    let delivered: Vec<_> = received
                        .iter()
                        .map(|message| (message.body.clone(), message.receive_count))
                        .collect();
                    let timeout_s = timeout_s.unwrap_or(30);
                    let expected = model.receive(from_dead, max_messages, timeout_s, now);
                    prop_assert_eq!(delivered, expected);
                    deliveries.extend(received);
                }
                Step::Delete { delivery } if !deliveries.is_empty() => {
                    let delivery = delivery.get(&deliveries);
                    table.delete(delivery);
                    model.delete(delivery);
                }
                Step::Hide { delivery, timeout_s } if !deliveries.is_empty() => {
                    let delivery = delivery.get(&deliveries);
                    let is_hidden = table.hide(delivery, timeout_s, now).is_ok();
                    prop_assert_eq!(is_hidden, model.hide(delivery, timeout_s, now));
                }
                Step::Delete { .. } | Step::Hide { .. } => {}
                Step::Wait { milliseconds } => now += milliseconds,
            }
            prop_assert_eq!(table.depth(&queue, now), model.depth(false, now));
            prop_assert_eq!(table.depth(&dead, now), model.depth(true, now));
        }
    }
}
