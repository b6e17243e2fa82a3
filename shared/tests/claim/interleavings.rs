//! All orders of the calls of two and of three actors, and of the passing of time, which is an actor like any other. After each step:
//! no fence comes twice or falls, only the newest one finishes, what is recorded stays while it is fresh, and nobody holds what another
//! holds. In the end nothing is stuck.

use std::time::Duration;

use once::{
    claim::{self, Claims, Fence, Outcome, Record},
    dynamo::keys::{self, Key},
    testing::{COMPANIES_TABLE, Cloud},
    time::Timestamp,
};
use uuid::Uuid;

use crate::claimed::{LEASE, LIFETIME, at};

/// What an actor does next. One that holds nothing has nothing to renew or finish.
#[derive(Debug, Clone, Copy)]
enum Step {
    Claim,
    Take,
    Renew,
    Finish,
    Pass(Duration),
}

use Step::{Claim, Finish, Pass, Renew, Take};

type Program = &'static [Step];

/// Works itself.
const OWNER: Program = &[Claim, Renew, Finish];
/// Does what others have claimed.
const WORKER: Program = &[Take, Renew, Finish];
/// Leaves the work to others, or dies.
const ASKER: Program = &[Claim];
/// Tells twice what came of it, since it did not hear that it was heard.
const UNHEARD: Program = &[Claim, Finish, Finish];
/// Gets a message twice.
const TWICE: Program = &[Take, Take, Finish];
/// Past a lease, then past a lifetime.
const TIME: Program = &[Pass(LEASE), Pass(LIFETIME)];

/// An order of steps: which of the actors that had one left came next, and how many those were.
#[derive(Debug, Default)]
struct Order(Vec<(usize, usize)>);

impl Order {
    /// Who comes next, at this place, of so many.
    fn choose(&mut self, place: usize, of: usize) -> usize {
        if place == self.0.len() {
            self.0.push((0, of));
        }
        assert_eq!(self.0[place].1, of, "the same steps in the same order lead to the same choice");
        self.0[place].0
    }

    /// The next order that was not played yet.
    fn advance(&mut self) -> bool {
        while let Some((chosen, of)) = self.0.pop() {
            if chosen + 1 < of {
                self.0.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

/// Whoever runs a program, with a clock that is wrong by so many seconds.
struct Actor {
    program: Program,
    wrong_by: i64,
    next: usize,
    holds: Option<Fence>,
}

impl Actor {
    fn next(&mut self) -> Option<Step> {
        while let Some(Renew | Finish) = self.program.get(self.next)
            && self.holds.is_none()
        {
            self.next += 1;
        }
        self.program.get(self.next).copied()
    }
}

/// A key, its record as it was after the last step, and what the test knows of it.
struct World<'a> {
    claims: &'a Claims,
    key: Key,
    passed: Duration,
    record: Option<Record>,
    newest: Option<Fence>,
    /// It was claimed and nobody has taken it.
    left: bool,
    /// Whose results were recorded.
    recorded: Vec<Fence>,
}

impl<'a> World<'a> {
    fn new(claims: &'a Claims, key: Key) -> Self {
        let (passed, left, recorded) = (Duration::ZERO, false, Vec::new());
        Self { claims, key, passed, record: None, newest: None, left, recorded }
    }

    fn by(&self, clock: i64) -> Timestamp {
        at(clock).plus(self.passed)
    }

    fn stands(&self, now: Timestamp) -> bool {
        self.record
            .as_ref()
            .is_some_and(|record| record.is_held(now) || record.fresh(now).is_some())
    }

    fn is_running(&self) -> bool {
        matches!(self.record, Some(Record::Running { .. }))
    }

    /// It grows with each claim and each hand-over.
    fn given(&mut self, fence: Fence) -> Fence {
        assert!(self.newest.is_none_or(|newest| newest < fence), "{fence:?} came again");
        self.newest = Some(fence);
        fence
    }

    async fn claim(&mut self, now: Timestamp) -> Option<Fence> {
        match self
            .claims
            .claim(self.key.clone(), Uuid::now_v7(), LEASE, now)
            .await
            .expect("an answer")
        {
            claim::Claim::Acquired(fence) => {
                assert!(!self.stands(now), "claimed from {:?}", self.record);
                self.left = true;
                Some(self.given(fence))
            }
            claim::Claim::Occupied(record) => {
                assert!(self.stands(now), "stuck: {record:?}");
                assert_eq!(Some(record), self.record);
                None
            }
        }
    }

    async fn take(&mut self, now: Timestamp) -> Option<Fence> {
        let fence = self
            .claims
            .take(self.key.clone(), Uuid::now_v7(), LEASE, now)
            .await
            .expect("an answer");
        assert_eq!(fence.is_some(), self.left && self.is_running());
        self.left = false;
        fence.map(|fence| self.given(fence))
    }

    async fn renew(&mut self, fence: Fence, now: Timestamp) -> bool {
        let renewed =
            self.claims.renew(self.key.clone(), fence, LEASE, now).await.expect("an answer");
        assert_eq!(renewed, self.is_running() && self.newest == Some(fence));
        renewed
    }

    async fn finish(&mut self, fence: Fence, now: Timestamp) {
        let outcome = Outcome::Done(format!("{fence:?} at {now}"));
        let finished = self
            .claims
            .finish(self.key.clone(), fence, &outcome, LIFETIME, now)
            .await
            .expect("an answer");
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

    /// Reads the record, and holds it against what it was.
    async fn look(&mut self, step: Step, now: Timestamp) {
        let record = self.claims.read(self.key.clone()).await.expect("an answer");
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
        let now = self.by(actor.wrong_by);
        match (step, actor.holds) {
            (Pass(time), _) => return self.passed += time,
            (Claim, _) => actor.holds = self.claim(now).await,
            (Take, _) => actor.holds = self.take(now).await.or(actor.holds),
            (Renew, Some(fence)) => actor.holds = self.renew(fence, now).await.then_some(fence),
            (Finish, Some(fence)) => self.finish(fence, now).await,
            (Renew | Finish, None) => unreachable!("it has nothing to renew or finish"),
        }
        self.look(step, now).await;
    }

    /// All actors have stopped: who comes waits for what stands, and not longer.
    async fn end(&mut self) {
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

/// Plays all orders of these programs and of time; answers how many there are.
async fn play(programs: &[Program], wrong_by: &[i64]) -> usize {
    let cloud = Cloud::start().await;
    let claims = Claims::new(cloud.client().clone(), COMPANIES_TABLE.to_owned());
    let actor =
        |(&program, &wrong_by): (&Program, &i64)| Actor { program, wrong_by, next: 0, holds: None };
    let mut order = Order::default();
    for number in 1.. {
        let mut actors: Vec<Actor> = programs.iter().zip(wrong_by).map(actor).collect();
        actors.push(actor((&TIME, &0)));
        let mut world = World::new(&claims, keys::base(&number.to_string()));
        for place in 0.. {
            let mut ready: Vec<&mut Actor> =
                actors.iter_mut().filter_map(|actor| actor.next().map(|_| actor)).collect();
            // When only time is left, it is the end.
            if ready.iter_mut().all(|actor| matches!(actor.next(), Some(Pass(_)))) {
                break;
            }
            let chosen = order.choose(place, ready.len());
            world.step(ready[chosen]).await;
        }
        world.end().await;
        if !order.advance() {
            return number;
        }
    }
    unreachable!()
}

/// All pairs of these programs, each with itself, too; answers how many orders they have.
async fn play_pairs(programs: &[Program], wrong_by: [i64; 2]) -> usize {
    let mut count = 0;
    for (place, first) in programs.iter().enumerate() {
        for second in &programs[place..] {
            count += play(&[first, second], &wrong_by).await;
        }
    }
    count
}

#[tokio::test]
async fn two_actors_with_right_clocks() {
    let orders = play_pairs(&[OWNER, WORKER, ASKER, UNHEARD, TWICE], [0, 0]).await;
    assert!(orders > 1_000, "{orders}");
}

#[tokio::test]
async fn two_actors_whose_clocks_differ_by_ten_seconds() {
    for wrong_by in [[5, -5], [-5, 5]] {
        let orders = play_pairs(&[OWNER, WORKER, ASKER], wrong_by).await;
        assert!(orders > 300, "{orders}");
    }
}

#[tokio::test]
async fn three_actors_of_whom_two_work_and_one_takes_what_they_leave() {
    let orders = play(&[&[Claim, Finish], &[Claim, Finish], &[Take, Finish]], &[0, 0, 0]).await;
    assert!(orders > 700, "{orders}");
}

#[tokio::test]
async fn three_actors_who_hand_the_work_over() {
    for wrong_by in [[0, 0, 0], [5, -5, 0]] {
        let two_workers = play(&[ASKER, &[Take, Finish], &[Take, Finish]], &wrong_by).await;
        let two_askers = play(&[ASKER, ASKER, &[Take, Finish]], &wrong_by).await;
        assert!(two_workers > 100 && two_askers > 100, "{two_workers} {two_askers}");
    }
}
