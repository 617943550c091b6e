//! Whose turn it is: one line per target and limit, for all blocks of a run.
//!
//! In a line the call whose resource has the longest way to go goes first, and what was throttled before all others. The
//! number of calls in flight is bounded, and their pace is what the [`Rates`] have learnt of the limit.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;

use super::pace::{Pace, Sent};
use crate::call::{Api, Scope};
use crate::id::TypeName;
use crate::machine::Io;
use crate::plan::Providers;
use crate::provider::{Provider, RateBucket, Rated};
use crate::target::TargetId;

/// The most calls of a run in flight per line. So many at once are the most that a server without limits has to stand, and
/// with calls of half a second they are 250 a second: more than the APIs of clouds let through.
pub(super) const IN_FLIGHT: usize = 128;

/// What the runs of a process have learnt of the limits of the clouds' APIs. Clones share it.
///
/// Whoever plans and then applies hands the same to both, so that what the reads have learnt is not forgotten. Nothing has to
/// be known at first; where no call is ever throttled, nothing is learnt and no call waits for it.
#[derive(Clone, Default)]
pub struct Rates(Arc<Mutex<ByLimit<Arc<Mutex<Pace>>>>>);

type ByLimit<T> = BTreeMap<TargetId, BTreeMap<RateBucket, T>>;

impl std::fmt::Debug for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rates").finish_non_exhaustive()
    }
}

/// The lines of a run. Clones share them; a run does not share them with others, because nothing of one run can wake another.
#[derive(Clone)]
pub(super) struct Limiter {
    rates: Rates,
    providers: Providers,
    lanes: Arc<Mutex<ByLimit<Arc<Lane>>>>,
}

/// Which of those that wait goes first: the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Rank(pub(super) u32);

impl Rank {
    /// What was throttled.
    pub(super) const THROTTLED: Self = Self(u32::MAX);
}

struct Lane {
    pace: Arc<Mutex<Pace>>,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    in_flight: usize,
    /// Those that wait, behind the head.
    waiting: BTreeMap<(Reverse<Rank>, u64), oneshot::Sender<Head>>,
    came: u64,
    /// Whether there is a head.
    headed: bool,
    /// The head, where it waits for an answer to one of the calls in flight.
    full: Option<oneshot::Sender<()>>,
}

/// The right to go next; handed on when dropped.
struct Head(Option<Arc<Lane>>);

/// The right to have one call in flight, given back when dropped: the server took the call, unless something else is said.
pub(super) struct Permit {
    lane: Arc<Lane>,
    sent: Sent,
}

/// A lock that a panicking thread left is taken all the same: what it guards is changed in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is there for the limit, made where it is missing.
fn of<T: Clone>(all: &mut ByLimit<T>, target: &TargetId, bucket: RateBucket, make: impl FnOnce() -> T) -> T {
    // Found most of the time: the target is not cloned then.
    let buckets = match all.get_mut(target) {
        Some(buckets) => buckets,
        None => all.entry(target.clone()).or_default(),
    };
    buckets.entry(bucket).or_insert_with(make).clone()
}

impl Limiter {
    pub(super) fn new(rates: &Rates, providers: &Providers) -> Self {
        Self { rates: rates.clone(), providers: providers.clone(), lanes: Arc::default() }
    }

    /// Whose limits, and whose objects, they are.
    pub(super) fn provider(&self, target: &TargetId) -> Option<&dyn Provider> {
        self.providers.get(&target.provider).map(AsRef::as_ref)
    }

    fn lane(&self, target: &TargetId, rated: Rated<'_>) -> Arc<Lane> {
        let provider = self.provider(target);
        let bucket = provider.map_or_else(RateBucket::default, |provider| provider.rate_bucket(rated));
        of(&mut lock(&self.lanes), target, bucket.clone(), || {
            let pace = of(&mut lock(&self.rates.0), target, bucket, Arc::default);
            Arc::new(Lane { pace, line: Mutex::default() })
        })
    }

    /// Waits until the call may be sent. Whoever is throttled asks again, with [`Rank::THROTTLED`].
    pub(super) async fn call(&self, io: &Io, target: &TargetId, api: &Api, rank: Rank) -> Permit {
        self.lane(target, Rated::Call(api)).turn(io, rank).await
    }

    /// Whether calls of this limit have to wait for their pace.
    pub(super) fn is_paced(&self, target: &TargetId, api: &Api) -> bool {
        lock(&self.lane(target, Rated::Call(api)).pace).is_set()
    }

    /// Waits until the read may be sent.
    pub(super) async fn read(&self, io: &Io, target: &TargetId, of: (&TypeName, &Scope), rank: Rank) -> Permit {
        let rated = match of {
            (type_name, Scope::Detail { detail, .. }) => Rated::Detail(type_name, detail),
            (type_name, _) => Rated::Read(type_name),
        };
        self.lane(target, rated).turn(io, rank).await
    }
}

impl Lane {
    async fn turn(self: Arc<Self>, io: &Io, rank: Rank) -> Permit {
        // Until this call is sent, nobody else is.
        let _head = match self.join(rank) {
            Ok(head) => head,
            // A sender that is gone means that the machine ends.
            Err(receiver) => match receiver.await {
                Ok(head) => head,
                Err(_) => std::future::pending().await,
            },
        };
        loop {
            if let Some(answered) = self.full() {
                // The same.
                if answered.await.is_err() {
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let now = io.now().boot_ms;
            let wait = lock(&self.pace).wait(now);
            match wait {
                // Other runs have the same pace, so it is looked at again.
                Some(wait) => io.sleep(wait).await,
                None => break,
            }
        }
        let sent = lock(&self.pace).sent(io.now().boot_ms);
        lock(&self.line).in_flight += 1;
        Permit { lane: self, sent }
    }

    /// Becomes the head, or waits to become it.
    fn join(self: &Arc<Self>, rank: Rank) -> Result<Head, oneshot::Receiver<Head>> {
        let mut line = lock(&self.line);
        if !line.headed {
            line.headed = true;
            return Ok(Head(Some(self.clone())));
        }
        let (sender, receiver) = oneshot::channel();
        let place = (Reverse(rank), line.came);
        line.came += 1;
        line.waiting.insert(place, sender);
        Err(receiver)
    }

    /// What tells of the next answer, if no further call may be in flight.
    fn full(&self) -> Option<oneshot::Receiver<()>> {
        let mut line = lock(&self.line);
        (line.in_flight >= IN_FLIGHT).then(|| {
            let (sender, receiver) = oneshot::channel();
            line.full = Some(sender);
            receiver
        })
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        let Some(lane) = self.0.take() else { return };
        loop {
            let next = {
                let mut line = lock(&lane.line);
                let next = line.waiting.pop_first();
                line.headed = next.is_some();
                next
            };
            let Some((_, next)) = next else { return };
            match next.send(Self(Some(lane.clone()))) {
                Ok(()) => return,
                // It waits no more: it does not hand on either.
                Err(mut head) => head.0 = None,
            }
        }
    }
}

impl Permit {
    /// The call was throttled.
    pub(super) fn throttled(self, io: &Io) {
        lock(&self.lane.pace).throttled(self.sent, io.now().boot_ms);
    }

    /// The call was not sent after all.
    pub(super) fn not_sent(self) {
        lock(&self.lane.pace).not_sent(self.sent);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Also where something else was said: the pace knows.
        lock(&self.lane.pace).taken(self.sent);
        let full = {
            let mut line = lock(&self.lane.line);
            line.in_flight = line.in_flight.saturating_sub(1);
            line.full.take()
        };
        if let Some(head) = full {
            // A head that is gone was dropped.
            head.send(()).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Action, ActionId, Event, Machine, Now};

    fn target() -> TargetId {
        let provider = crate::id::ProviderName::new("aws").unwrap();
        TargetId { provider, account: "1".to_owned(), region: "r".to_owned() }
    }

    /// So many calls of these ranks, each of which takes a second; in which order they were sent.
    fn order(ranks: Vec<u32>) -> Machine<Vec<u32>> {
        let limiter = Limiter::new(&Rates::default(), &Providers::default());
        Machine::new(|io| async move {
            let sent: Arc<Mutex<Vec<u32>>> = Arc::default();
            let calls = ranks.into_iter().map(|rank| {
                let (io, limiter, sent) = (io.clone(), limiter.clone(), sent.clone());
                async move {
                    let permit = limiter.call(&io, &target(), &"Make".to_owned(), Rank(rank)).await;
                    lock(&sent).push(rank);
                    io.sleep(std::time::Duration::from_secs(1)).await;
                    drop(permit);
                }
            });
            futures::future::join_all(calls).await;
            lock(&sent).clone()
        })
    }

    fn sleeps(asked: Vec<(ActionId, Action)>) -> Vec<ActionId> {
        asked.into_iter().filter(|(_, action)| matches!(action, Action::Sleep { .. })).map(|(id, _)| id).collect()
    }

    #[test]
    fn no_more_are_in_flight_than_may_be_and_the_highest_rank_goes_first() {
        let last: Vec<u32> = (0..100).map(|number| number % 10).collect();
        let mut machine = order(vec![7; IN_FLIGHT].into_iter().chain(last.clone()).collect());
        let mut flying = sleeps(machine.step(Now::default(), None));
        assert_eq!(flying.len(), IN_FLIGHT);
        let mut answered = 0;
        while let Some(id) = flying.pop() {
            answered += 1;
            flying.extend(sleeps(machine.step(Now::default(), Some((id, Event::Woke)))));
            assert!(flying.len() <= IN_FLIGHT);
        }
        assert_eq!(answered, IN_FLIGHT + last.len());
        let sent = machine.take_result().unwrap();
        // The first that had to wait was the head of the line by then.
        let (head, waited) = sent[IN_FLIGHT..].split_first().unwrap();
        assert_eq!(*head, last[0]);
        assert!(waited.is_sorted_by(|before, after| before >= after), "{waited:?}");
    }

    #[test]
    fn who_waits_no_more_holds_nobody_up() {
        let limiter = Limiter::new(&Rates::default(), &Providers::default());
        let mut machine = Machine::new(|io| async move {
            let (target, api) = (target(), "Make".to_owned());
            let lane = limiter.lane(&target, Rated::Call(&api));
            let head = lane.join(Rank::default()).unwrap_or_else(|_| unreachable!("nobody was there"));
            let mut waiting: Vec<_> = (0..3).map(|_| lane.join(Rank::default())).collect();
            // One that is gone before it is its turn, and one that is gone when it is.
            drop(waiting.remove(0));
            drop(head);
            drop(waiting.remove(0));
            drop(waiting);
            limiter.call(&io, &target, &api, Rank::default()).await;
        });
        machine.step(Now::default(), None);
        assert!(machine.take_result().is_some());
    }

    #[test]
    fn what_was_learnt_is_there_for_the_next_run_of_the_process() {
        let rates = Rates::default();
        let learns = |throttled: bool| {
            let limiter = Limiter::new(&rates, &Providers::default());
            let mut machine = Machine::new(|io| async move {
                for _ in 0..3 {
                    let permit = limiter.call(&io, &target(), &"Make".to_owned(), Rank::default()).await;
                    if throttled {
                        permit.throttled(&io);
                    }
                }
            });
            sleeps(machine.step(Now { boot_ms: 5_000, wall_ms: 0 }, None)).len()
        };
        assert_eq!(learns(false), 0, "nothing waits where nothing was throttled");
        assert_eq!(learns(true), 1);
        assert_eq!(learns(false), 1, "and now the next run waits from its first call on");
    }
}
