//! This node in the protocol: a replica of the store's log, and the parent of the replicas that follow it.
//!
//! [`Instance::publish`] is the one door through which anything becomes true everywhere.

mod followers;
mod following;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use misario_core::changes::{Barrier, BarrierReport, BarrierState, Change, MonoTime, NewChange, Parent, Position};
use misario_core::id::ReplicaId;
use misario_core::store::{Appended, RegistryEntry};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{Notify, watch};

use super::Instance;
use crate::error::Error;

use followers::Follower;
pub use followers::{FollowerFault, ReplicaView};

/// Entries that are kept for replicas that follow closely; older ones are read from the store.
const RECENT: usize = 4_096;

/// How often another node's registry entry is looked at while a barrier waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Whether a call waits until its change is true everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// It returns when no verifier can answer without the change.
    Yes,
    /// It returns when the change is durable.
    No,
}

/// A change that was published.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Published {
    /// Its place in the log.
    pub position: Position,
    /// How long it took to be true everywhere, in milliseconds; 0 where that was not waited for.
    pub waited_ms: f64,
    /// Verifiers that acknowledged it.
    pub acknowledged: usize,
    /// Verifiers whose lease had to run out instead.
    pub fenced: usize,
}

/// The node's own side of the protocol.
pub(crate) struct Node {
    ttl: Duration,
    parent: Mutex<Parent>,
    barriers: Mutex<HashMap<u64, Waiting>>,
    next_barrier: AtomicU64,
    recent: Mutex<VecDeque<Change>>,
    applied: watch::Sender<Position>,
    /// Whether this node is about to stop.
    closing: watch::Sender<bool>,
    applying: tokio::sync::Mutex<()>,
    followers: Mutex<HashMap<ReplicaId, Follower>>,
    /// The ids that this process had before it started again: it answers under none of them any more.
    own_earlier: Mutex<HashSet<ReplicaId>>,
    /// Each registry entry's counter, and since when it stands.
    standing: Mutex<HashMap<ReplicaId, (u64, MonoTime)>>,
}

struct Waiting {
    barrier: Barrier,
    moved: Arc<Notify>,
}

impl Node {
    /// A node that starts now. An earlier process may have granted leases that it knows nothing of (rule 14).
    pub(super) fn new(now: MonoTime, ttl: Duration, earlier: Option<Duration>, applied: Position) -> Self {
        let parent = match earlier {
            Some(earlier) => Parent::new(now, earlier.max(ttl)).with_ttl(ttl),
            // The first process on this store: nobody was ever granted anything.
            None => Parent::new(now, ttl).nothing_lost(),
        };
        Self {
            ttl,
            parent: Mutex::new(parent),
            barriers: Mutex::default(),
            next_barrier: AtomicU64::new(0),
            recent: Mutex::default(),
            // Followers of an earlier process go on from here.
            applied: watch::Sender::new(applied),
            closing: watch::Sender::new(false),
            applying: tokio::sync::Mutex::default(),
            followers: Mutex::default(),
            own_earlier: Mutex::default(),
            standing: Mutex::default(),
        }
    }

    /// The longest lease it grants.
    pub(crate) const fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Changes when this node is about to stop.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Changes whenever this node has applied more of the log.
    pub(crate) fn applied(&self) -> watch::Receiver<Position> {
        self.applied.subscribe()
    }

    /// The entries after `position`, if they are all still in memory.
    pub(crate) fn recent_after(&self, position: Position) -> Option<Vec<Change>> {
        let recent = self.recent.lock();
        if *self.applied.borrow() == position {
            return Some(Vec::new());
        }
        // The very entry, not just its number: another log may have had another one there.
        let found = recent.iter().position(|change| change.position == position)?;
        Some(recent.iter().skip(found + 1).cloned().collect())
    }

    fn keep(&self, changes: &[Change]) {
        let mut recent = self.recent.lock();
        recent.extend(changes.iter().cloned());
        let beyond = recent.len().saturating_sub(RECENT);
        recent.drain(..beyond);
        if let Some(last) = changes.last() {
            self.applied.send_replace(last.position);
        }
    }

    /// Forgets whose lease has run out; a follower is shown for one lease more.
    fn expire(&self, now: MonoTime) {
        self.parent.lock().expire(now);
        self.followers.lock().retain(|_, follower| now < follower.lease_until.plus(self.ttl));
    }

    /// The entries of nodes that are dead: unchanged for their `ttl` on this node's own clock (rule 10).
    fn dead(&self, registry: &[RegistryEntry], own: ReplicaId, now: MonoTime) -> Vec<RegistryEntry> {
        let mut standing = self.standing.lock();
        standing.retain(|id, _| registry.iter().any(|entry| entry.id == *id));
        let is_dead = |entry: &&RegistryEntry| {
            let seen = standing.entry(entry.id).or_insert((entry.counter, now));
            if seen.0 != entry.counter {
                *seen = (entry.counter, now);
            }
            entry.id != own && now.since(seen.1) >= entry.ttl
        };
        registry.iter().filter(is_dead).copied().collect()
    }

    /// Hands what a replica says to every barrier that waits.
    fn for_each_barrier(&self, tell: impl Fn(&mut Barrier)) {
        for waiting in self.barriers.lock().values_mut() {
            tell(&mut waiting.barrier);
            waiting.moved.notify_one();
        }
    }

    /// A barrier over the leases that are out, for a position that this node has applied. It is among the barriers that
    /// are told of acknowledgements before any later one can come in, so none is missed.
    fn barrier(&self, position: Position, now: MonoTime) -> Pending<'_> {
        let parent = self.parent.lock();
        let id = self.next_barrier.fetch_add(1, Ordering::Relaxed);
        let moved = Arc::new(Notify::new());
        let waiting = Waiting { barrier: parent.barrier(position, now), moved: Arc::clone(&moved) };
        self.barriers.lock().insert(id, waiting);
        Pending { node: self, id, moved }
    }
}

/// A barrier that is waited for; dropped, it is forgotten.
struct Pending<'n> {
    node: &'n Node,
    id: u64,
    moved: Arc<Notify>,
}

impl Pending<'_> {
    async fn wait(self, instance: &Instance) -> BarrierReport {
        loop {
            let now = instance.clock.mono();
            let state = self.node.barriers.lock().get_mut(&self.id).map(|waiting| waiting.barrier.poll(now));
            match state {
                Some(BarrierState::Waiting { until, .. }) => {
                    let left = until.since(now).max(Duration::from_millis(1));
                    let _ = tokio::time::timeout(left, self.moved.notified()).await;
                }
                Some(BarrierState::Done(report)) => return report,
                // Only dropping takes it out.
                None => return BarrierReport::default(),
            }
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.node.barriers.lock().remove(&self.id);
    }
}

impl Instance {
    /// Appends the change and, if asked to, waits until it is true everywhere.
    pub(super) async fn publish(&self, change: NewChange, wait: Wait) -> Result<Published, Error> {
        let appended = self.live.append(change).await?;
        let replied = self.clock.mono();
        // Its own memory first (rule 26), so that this node never says otherwise after the call.
        self.catch_up().await?;
        let barrier = self.node.barrier(appended.position, self.clock.mono());
        if wait == Wait::No {
            return Ok(Published { position: appended.position, waited_ms: 0.0, acknowledged: 0, fenced: 0 });
        }
        let (own, others) = tokio::join!(barrier.wait(self), self.wait_for_nodes(&appended, replied));
        let waited = self.clock.mono().since(replied);
        Ok(Published {
            position: appended.position,
            waited_ms: waited.as_secs_f64() * 1_000.0,
            acknowledged: own.acknowledged + others.acknowledged,
            fenced: own.fenced + others.fenced,
        })
    }

    /// Waits for the other nodes of the store. This node's own followers are waited for by themselves.
    async fn wait_for_nodes(&self, appended: &Appended, replied: MonoTime) -> BarrierReport {
        let own = self.memory.read().replica().id();
        let registry = {
            let earlier = self.node.own_earlier.lock();
            let others = appended.registry.iter().filter(|entry| entry.id != own && !earlier.contains(&entry.id));
            others.copied().collect()
        };
        let mut barrier = Barrier::after_append(&Appended { position: appended.position, registry }, replied);
        loop {
            if let BarrierState::Done(report) = barrier.poll(self.clock.mono()) {
                return report;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            // A registry that cannot be read tells nothing: the leases in the snapshot run out by themselves.
            let Ok(registry) = self.live.replicas().await else { continue };
            for entry in &registry {
                barrier.acknowledged(entry.id, entry.applied);
            }
            let gone: Vec<_> =
                barrier.waiting_for().filter(|id| registry.iter().all(|entry| entry.id != *id)).collect();
            for id in gone {
                barrier.left(id);
            }
        }
    }
}

/// A time as it travels in frames.
pub(crate) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_dead_when_its_counter_stood_for_its_own_lease() {
        let at = |ms| MonoTime::from_millis(ms);
        let id = |n| ReplicaId::from_bytes([n; 16]);
        let entry = |n, ttl, counter| RegistryEntry {
            id: id(n),
            applied: Position::ZERO,
            ttl: Duration::from_millis(ttl),
            counter,
        };
        let node = Node::new(at(0), Duration::from_millis(100), None, Position::ZERO);
        let dead = |registry: &[RegistryEntry], ms| {
            node.dead(registry, id(1), at(ms)).into_iter().map(|entry| entry.id).collect::<Vec<_>>()
        };
        assert!(
            dead(&[entry(1, 100, 1), entry(2, 100, 2), entry(3, 500, 3)], 1_000).is_empty(),
            "seen for the first time"
        );
        assert!(dead(&[entry(1, 100, 1), entry(2, 100, 4), entry(3, 500, 3)], 1_100).is_empty(), "one renewed");
        let registry = [entry(1, 100, 1), entry(2, 100, 4), entry(3, 500, 3)];
        assert!(dead(&registry, 1_199).is_empty());
        assert_eq!(dead(&registry, 1_200), [id(2)], "never itself");
        assert_eq!(dead(&registry, 1_500), [id(2), id(3)]);
        assert!(dead(&[], 2_000).is_empty());
        assert!(dead(&registry, 3_000).is_empty(), "what comes back is counted anew");
    }
}
