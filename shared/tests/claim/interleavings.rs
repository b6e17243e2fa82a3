//! All orders of the calls of two and of three actors, and of the passing of time, which is an
//! actor too. After each step: no fence is issued twice or decreases, only the newest holder
//! finishes, a recorded result stays while it is fresh, and no two actors hold the key. At the end
//! the key can be claimed again.

use std::time::Duration;

use once::{
    claim::{self, Claims, Fence, Outcome, Record},
    dynamo::keys::{self, Key},
    testing::{COMPANIES_TABLE, Cloud},
    time::Timestamp,
};
use uuid::Uuid;

use crate::claim::fixtures::{LEASE, LIFETIME, at};

/// Step of an actor. An actor without a fence skips `Renew` and `Finish`.
#[derive(Debug, Clone, Copy)]
enum Step {
    Claim,
    TakeOver,
    Renew,
    Finish,
    Pass(Duration),
}

use Step::{Claim, Finish, Pass, Renew, TakeOver};

type Program = &'static [Step];

/// Claims and does the work itself.
const OWNER: Program = &[Claim, Renew, Finish];
/// Takes over the work that others have claimed.
const WORKER: Program = &[TakeOver, Renew, Finish];
/// Claims and leaves the work to others, or dies.
const CLAIMER: Program = &[Claim];
/// Finishes twice, since the first reply was lost.
const FINISHES_TWICE: Program = &[Claim, Finish, Finish];
/// Gets its message twice.
const TAKES_OVER_TWICE: Program = &[TakeOver, TakeOver, Finish];
/// Lets a lease pass, then a lifetime.
const TIME: Program = &[Pass(LEASE), Pass(LIFETIME)];

/// An order of steps: for each position the chosen actor, and the number of actors that could be
/// chosen.
#[derive(Debug, Default)]
struct Order(Vec<(usize, usize)>);

impl Order {
    /// Returns which of this number of ready actors is next at this position.
    fn choose(&mut self, position: usize, ready: usize) -> usize {
        if position == self.0.len() {
            self.0.push((0, ready));
        }
        assert_eq!(self.0[position].1, ready, "equal steps lead to equal choices");
        self.0[position].0
    }

    /// Moves on to an order that was not played yet. Returns whether there is one.
    fn advance(&mut self) -> bool {
        while let Some((chosen, ready)) = self.0.pop() {
            if chosen + 1 < ready {
                self.0.push((chosen + 1, ready));
                return true;
            }
        }
        false
    }
}

/// An actor that runs a program, with a clock that is off by some seconds.
struct Actor {
    program: Program,
    clock_offset: i64,
    next: usize,
    fence: Option<Fence>,
}

impl Actor {
    fn next(&mut self) -> Option<Step> {
        while let Some(Renew | Finish) = self.program.get(self.next)
            && self.fence.is_none()
        {
            self.next += 1;
        }
        self.program.get(self.next).copied()
    }
}

/// A key, its record after the last step, and what the test expects of it.
struct World<'a> {
    claims: &'a Claims,
    key: Key,
    passed: Duration,
    record: Option<Record>,
    newest: Option<Fence>,
    /// It was claimed, and not taken over since.
    handed_over: bool,
    /// Fences whose results were recorded.
    recorded: Vec<Fence>,
}

impl<'a> World<'a> {
    fn new(claims: &'a Claims, key: Key) -> Self {
        let (passed, handed_over, recorded) = (Duration::ZERO, false, Vec::new());
        Self { claims, key, passed, record: None, newest: None, handed_over, recorded }
    }

    fn now(&self, clock_offset: i64) -> Timestamp {
        at(clock_offset).plus(self.passed)
    }

    fn is_occupied(&self, now: Timestamp) -> bool {
        self.record
            .as_ref()
            .is_some_and(|record| record.is_held(now) || record.fresh(now).is_some())
    }

    fn is_running(&self) -> bool {
        matches!(self.record, Some(Record::Running { .. }))
    }

    /// Records a new fence: it grows with each claim and takeover.
    fn issue(&mut self, fence: Fence) -> Fence {
        assert!(self.newest.is_none_or(|newest| newest < fence), "{fence:?} was issued before");
        self.newest = Some(fence);
        fence
    }

    async fn claim(&mut self, now: Timestamp) -> Option<Fence> {
        match self
            .claims
            .claim(self.key.clone(), Uuid::now_v7(), LEASE, now)
            .await
            .expect("a response")
        {
            claim::Claim::Acquired(fence) => {
                assert!(!self.is_occupied(now), "claimed from {:?}", self.record);
                self.handed_over = true;
                Some(self.issue(fence))
            }
            claim::Claim::Occupied(record) => {
                assert!(self.is_occupied(now), "stuck: {record:?}");
                assert_eq!(Some(record), self.record);
                None
            }
        }
    }

    async fn take_over(&mut self, now: Timestamp) -> Option<Fence> {
        let fence = self
            .claims
            .take_over(self.key.clone(), Uuid::now_v7(), LEASE, now)
            .await
            .expect("a response");
        assert_eq!(fence.is_some(), self.handed_over && self.is_running());
        self.handed_over = false;
        fence.map(|fence| self.issue(fence))
    }

    async fn renew(&mut self, fence: Fence, now: Timestamp) -> bool {
        let renewed =
            self.claims.renew(self.key.clone(), fence, LEASE, now).await.expect("a response");
        assert_eq!(renewed, self.is_running() && self.newest == Some(fence));
        renewed
    }

    async fn finish(&mut self, fence: Fence, now: Timestamp) {
        let outcome = Outcome::Done(format!("{fence:?} at {now}"));
        let finished = self
            .claims
            .finish(self.key.clone(), fence, &outcome, LIFETIME, now)
            .await
            .expect("a response");
        assert_eq!(
            finished,
            self.newest == Some(fence),
            "finished by {fence:?}: {:?}",
            self.record
        );
        if finished && self.is_running() {
            assert!(!self.recorded.contains(&fence), "two results of {fence:?}");
            self.recorded.push(fence);
        }
    }

    /// Reads the record, and checks it against the previous one.
    async fn check(&mut self, step: Step, now: Timestamp) {
        let record = self.claims.read(self.key.clone()).await.expect("a response");
        let fence = record.as_ref().map(|record| match record {
            Record::Running { fence, .. } => *fence,
            Record::Finished(finished) => finished.fence,
        });
        assert_eq!(fence, self.newest, "after {step:?}");
        if let Some(Record::Finished(finished)) = &record {
            assert_eq!(self.recorded.last(), Some(&finished.fence), "after {step:?}");
        }
        if self.record.as_ref().is_some_and(|before| before.fresh(now).is_some()) {
            assert_eq!(record, self.record, "after {step:?}");
        }
        self.record = record;
    }

    async fn step(&mut self, actor: &mut Actor) {
        let Some(step) = actor.next() else { return };
        actor.next += 1;
        let now = self.now(actor.clock_offset);
        match (step, actor.fence) {
            (Pass(time), _) => return self.passed += time,
            (Claim, _) => actor.fence = self.claim(now).await,
            (TakeOver, _) => actor.fence = self.take_over(now).await.or(actor.fence),
            (Renew, Some(fence)) => actor.fence = self.renew(fence, now).await.then_some(fence),
            (Finish, Some(fence)) => self.finish(fence, now).await,
            (Renew | Finish, None) => unreachable!("skipped without a fence"),
        }
        self.check(step, now).await;
    }

    /// Checks, after all actors have stopped, that the key can be claimed as soon as its lease or
    /// lifetime ends, and not earlier.
    async fn check_end(&mut self) {
        let end = match &self.record {
            None => at(0),
            Some(Record::Running { lease_until, .. }) => *lease_until,
            Some(Record::Finished(finished)) => finished.expires_at,
        };
        assert_eq!(
            self.claim(end.minus(Duration::from_millis(1))).await.is_some(),
            self.record.is_none()
        );
        if self.record.is_some() {
            assert!(self.claim(end).await.is_some());
        }
    }
}

/// Plays all orders of these programs and of time. Returns their number.
async fn play(programs: &[Program], clock_offset: &[i64]) -> usize {
    let cloud = Cloud::start().await;
    let claims = Claims::new(cloud.client().clone(), COMPANIES_TABLE.to_owned());
    let actor = |(&program, &clock_offset): (&Program, &i64)| Actor {
        program,
        clock_offset,
        next: 0,
        fence: None,
    };
    let mut order = Order::default();
    for number in 1.. {
        let mut actors: Vec<Actor> = programs.iter().zip(clock_offset).map(actor).collect();
        actors.push(actor((&TIME, &0)));
        let mut world = World::new(&claims, keys::base(&number.to_string()));
        for position in 0.. {
            let mut ready: Vec<&mut Actor> =
                actors.iter_mut().filter_map(|actor| actor.next().map(|_| actor)).collect();
            // The end: only time is left.
            if ready.iter_mut().all(|actor| matches!(actor.next(), Some(Pass(_)))) {
                break;
            }
            let chosen = order.choose(position, ready.len());
            world.step(ready[chosen]).await;
        }
        world.check_end().await;
        if !order.advance() {
            return number;
        }
    }
    unreachable!()
}

/// Plays all pairs of these programs, also of each with itself. Returns the number of orders.
async fn play_pairs(programs: &[Program], clock_offset: [i64; 2]) -> usize {
    let mut count = 0;
    for (index, first) in programs.iter().enumerate() {
        for second in &programs[index..] {
            count += play(&[first, second], &clock_offset).await;
        }
    }
    count
}

#[tokio::test]
async fn two_actors_with_correct_clocks() {
    let orders =
        play_pairs(&[OWNER, WORKER, CLAIMER, FINISHES_TWICE, TAKES_OVER_TWICE], [0, 0]).await;
    assert!(orders > 1_000, "{orders}");
}

#[tokio::test]
async fn two_actors_whose_clocks_differ_by_ten_seconds() {
    for clock_offset in [[5, -5], [-5, 5]] {
        let orders = play_pairs(&[OWNER, WORKER, CLAIMER], clock_offset).await;
        assert!(orders > 300, "{orders}");
    }
}

#[tokio::test]
async fn two_owners_and_a_worker_that_takes_over() {
    let orders = play(&[&[Claim, Finish], &[Claim, Finish], &[TakeOver, Finish]], &[0, 0, 0]).await;
    assert!(orders > 700, "{orders}");
}

#[tokio::test]
async fn three_actors_that_hand_work_over() {
    for clock_offset in [[0, 0, 0], [5, -5, 0]] {
        let two_workers =
            play(&[CLAIMER, &[TakeOver, Finish], &[TakeOver, Finish]], &clock_offset).await;
        let two_claimers = play(&[CLAIMER, CLAIMER, &[TakeOver, Finish]], &clock_offset).await;
        assert!(two_workers > 100 && two_claimers > 100, "{two_workers} {two_claimers}");
    }
}
