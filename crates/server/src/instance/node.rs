//! This node in the protocol: a replica of the store's log, and the parent of the replicas that follow it.
//!
//! [`Instance::publish`] is the one door through which anything becomes true everywhere.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use misario_core::authn::Snapshot;
use misario_core::changes::{
    Barrier, BarrierReport, BarrierState, Change, Grant, GrantError, LeaseState, MonoTime, NewChange, Own, Parent,
    Position,
};
use misario_core::id::{ClientId, ReplicaId};
use misario_core::store::{Appended, LogRead, RegistryEntry, Renewal};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{Notify, watch};

use super::Instance;
use crate::error::{Error, InternalFault};

/// Entries that are kept for replicas that follow closely; older ones are read from the store.
const RECENT: usize = 4_096;

/// Replicas of one client: half of what a parent takes.
const OF_ONE_CLIENT: usize = 5_000;

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

/// A follower as people see it.
#[derive(Debug, Clone, Serialize)]
pub struct ReplicaView {
    /// Which incarnation.
    pub id: ReplicaId,
    /// The client it authenticated as.
    pub client: ClientId,
    /// What it has applied.
    pub applied: Position,
    /// How many entries it is behind.
    pub lag: u64,
    /// What is left of its lease, in milliseconds.
    pub lease_ms: u64,
}

/// The node's own side of the protocol.
pub(crate) struct Node {
    ttl: Duration,
    parent: Mutex<Parent>,
    barriers: Mutex<HashMap<u64, Waiting>>,
    next_barrier: AtomicU64,
    recent: Mutex<VecDeque<Change>>,
    applied: watch::Sender<Position>,
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

/// Why a follower's renewal or farewell is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowerFault {
    /// Another client's replica has that id.
    #[error("it speaks for another client's replica")]
    OtherClient,
    /// Its client has as many replicas as it may.
    #[error("its client has {limit} replicas and gets no more")]
    TooMany {
        /// How many it may have.
        limit: usize,
    },
    /// It gets no lease.
    #[error(transparent)]
    NotGranted(#[from] GrantError),
}

struct Follower {
    client: ClientId,
    applied: Position,
    lease_until: MonoTime,
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

    /// A replica is that of the client which first renewed it. Another that acknowledges or leaves in its name would make
    /// a revocation count as done while the replica still answers without it.
    fn check_owner(
        followers: &HashMap<ReplicaId, Follower>,
        id: ReplicaId,
        client: &ClientId,
    ) -> Result<(), FollowerFault> {
        match followers.get(&id) {
            Some(follower) if follower.client != *client => Err(FollowerFault::OtherClient),
            _ => Ok(()),
        }
    }

    /// One client in the wrong hands must not take everybody's places. Counted for a replica that comes new.
    fn check_share(
        followers: &HashMap<ReplicaId, Follower>,
        id: ReplicaId,
        client: &ClientId,
    ) -> Result<(), FollowerFault> {
        // Far from the limit nobody is counted.
        if followers.len() < OF_ONE_CLIENT || followers.contains_key(&id) {
            return Ok(());
        }
        let own = followers.values().filter(|follower| follower.client == *client).count();
        if own < OF_ONE_CLIENT { Ok(()) } else { Err(FollowerFault::TooMany { limit: OF_ONE_CLIENT }) }
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

    /// Applies what the log has and this node has not.
    pub(super) async fn catch_up(&self) -> Result<(), Error> {
        let _one_at_a_time = self.node.applying.lock().await;
        loop {
            let applied = self.memory.read().replica().view().applied();
            match self.live.read_from(applied, 500).await? {
                LogRead::Entries(changes) if changes.is_empty() => return Ok(()),
                LogRead::Entries(changes) => {
                    if !self.apply(&changes) {
                        self.start_again().await?;
                    }
                }
                LogRead::Gap => self.start_again().await?,
            }
        }
    }

    /// Applies entries to the memory; whether they followed on what it has.
    fn apply(&self, changes: &[Change]) -> bool {
        let mut memory = self.memory.write();
        let followed = memory.apply(changes).is_ok();
        if followed {
            // Under the same lock, so that no follower is granted a head that it cannot be sent.
            self.node.keep(changes);
        }
        followed
    }

    /// Missed entries are gone from the log: everything is taken from a snapshot, as another incarnation (rule 15).
    async fn start_again(&self) -> Result<(), Error> {
        let (position, changes) = self.live.snapshot().await?;
        let mut memory = self.memory.write();
        let snapshot = Snapshot { position, changes: &changes, issuer: None };
        let earlier = memory.replica().id();
        memory.adopt(snapshot, &*self.entropy).map_err(|_| InternalFault::Record { what: "change log" })?;
        // Its lease was dropped with it, so nobody here has to wait for it.
        self.node.own_earlier.lock().insert(earlier);
        self.node.recent.lock().clear();
        self.node.applied.send_replace(position);
        Ok(())
    }

    /// Renews the lease of this node at the store.
    pub(super) async fn renew_lease(&self) -> Result<(), Error> {
        let request = {
            let mut memory = self.memory.write();
            let now = self.clock.mono();
            let applied = memory.replica().view().applied();
            let subtree = self.node.parent.lock().subtree_applied(applied, now);
            memory.replica_mut().renew_for_subtree(now, subtree, &*self.entropy)
        };
        let Some(request) = request else { return Ok(()) };
        let renewal = Renewal { id: request.id, applied: request.applied, ttl: request.ttl };
        let head = self.live.renew(renewal).await?;
        let behind = {
            let mut memory = self.memory.write();
            memory.replica_mut().granted(self.clock.mono(), request.nonce, request.ttl, head);
            memory.replica().behind().is_some()
        };
        if behind { self.catch_up().await } else { Ok(()) }
    }

    /// Follows the store's log and keeps the lease, until the instance is gone.
    pub(super) async fn follow_forever(instance: Weak<Self>) {
        let heartbeat = match instance.upgrade() {
            Some(instance) => instance.memory.read().replica().config().heartbeat(),
            None => return,
        };
        let mut was_failing = false;
        loop {
            let Some(instance) = instance.upgrade() else { return };
            let outcome = match instance.catch_up().await {
                Ok(()) => instance.renew_lease().await,
                Err(error) => Err(error),
            };
            match (&outcome, was_failing) {
                (Err(error), false) => tracing::warn!(code = error.code(), "the store's log cannot be followed"),
                (Ok(()), true) => tracing::info!("the store's log is followed again"),
                _ => {}
            }
            was_failing = outcome.is_err();
            instance.node.expire(instance.clock.mono());
            let applied = instance.memory.read().replica().view().applied();
            let log = Arc::clone(&instance.live);
            // Nothing of the instance is held while waiting, so that it can go.
            drop(instance);
            if was_failing {
                tokio::time::sleep(heartbeat).await;
            } else {
                let _ = tokio::time::timeout(heartbeat, log.wait_beyond(applied)).await;
            }
        }
    }

    /// Removes the registry entries of nodes that are dead, so that no barrier waits for them again.
    pub(super) async fn bury_nodes(&self) -> Result<(), Error> {
        let registry = self.live.replicas().await?;
        let own = self.memory.read().replica().id();
        for entry in self.node.dead(&registry, own, self.clock.mono()) {
            if self.live.leave(entry.id, entry.counter).await? {
                self.node.own_earlier.lock().remove(&entry.id);
            }
        }
        Ok(())
    }

    /// A follower says what it has applied and wants a lease. Own position, own lease and the child's registration are
    /// of one moment (rule 7).
    pub(crate) fn grant(&self, id: ReplicaId, applied: Position, client: &ClientId) -> Result<Grant, FollowerFault> {
        let granted = {
            let memory = self.memory.read();
            let mut followers = self.node.followers.lock();
            Node::check_owner(&followers, id, client)?;
            Node::check_share(&followers, id, client)?;
            let now = self.clock.mono();
            let own = Own::of(memory.replica(), now);
            let granted = self.node.parent.lock().renew(id, applied, own, now);
            // Whoever gets no lease is none, however often it asks; one that had a lease stays until that has run out.
            if let Ok(grant) = granted {
                followers.insert(id, Follower { client: client.clone(), applied, lease_until: now.plus(grant.ttl) });
            }
            granted
        };
        self.node.for_each_barrier(|barrier| barrier.acknowledged(id, applied));
        Ok(granted?)
    }

    /// A follower has stopped answering for good (rule 5).
    pub(crate) fn follower_left(&self, id: ReplicaId, client: &ClientId) -> Result<(), FollowerFault> {
        {
            let mut followers = self.node.followers.lock();
            Node::check_owner(&followers, id, client)?;
            followers.remove(&id);
            self.node.parent.lock().leave(id);
        }
        self.node.for_each_barrier(|barrier| barrier.left(id));
        Ok(())
    }

    /// Who follows this node.
    pub fn replicas(&self) -> Vec<ReplicaView> {
        let now = self.clock.mono();
        let applied = *self.node.applied.borrow();
        self.node.expire(now);
        let followers = self.node.followers.lock();
        let view = |(id, follower): (&ReplicaId, &Follower)| ReplicaView {
            id: *id,
            client: follower.client.clone(),
            applied: follower.applied,
            lag: applied.sequence.saturating_sub(follower.applied.sequence),
            lease_ms: u64::try_from(follower.lease_until.since(now).as_millis()).unwrap_or(u64::MAX),
        };
        let mut views: Vec<_> = followers.iter().map(view).collect();
        views.sort_by_key(|view| view.id);
        views
    }

    /// The position, and everything that a joining follower starts from.
    pub(crate) async fn snapshot(&self) -> Result<(Position, Vec<Change>), Error> {
        self.catch_up().await?;
        Ok(self.live.snapshot().await?)
    }

    /// The entries after `position` for a follower; `None`: it has to start from a snapshot.
    pub(crate) async fn changes_after(&self, position: Position) -> Result<Option<Vec<Change>>, Error> {
        if let Some(recent) = self.node.recent_after(position) {
            return Ok(Some(recent));
        }
        match self.live.read_from(position, 1_000).await? {
            LogRead::Entries(changes) => Ok(Some(changes)),
            LogRead::Gap => Ok(None),
        }
    }

    /// Gets the first lease, so that checks are answered from the first request on.
    pub(super) async fn first_lease(&self) -> Result<(), Error> {
        self.catch_up().await?;
        self.renew_lease().await?;
        let held = matches!(self.memory.read().replica().lease(self.clock.mono()), LeaseState::Held { .. });
        debug_assert!(held, "a store that answers grants a lease");
        Ok(())
    }

    /// Grants nothing more, writes down what is only in memory, and leaves the store's registry, unless followers still
    /// hold leases of this node (rule 5): then its own entry runs out by itself.
    pub(crate) async fn stop(self: &Arc<Self>) {
        self.write_touches().await;
        let now = self.clock.mono();
        let free_at = self.node.parent.lock().close(now);
        let id = self.memory.write().replica_mut().leave();
        if free_at <= now {
            let entry = self.live.replicas().await.ok().and_then(|all| all.into_iter().find(|entry| entry.id == id));
            if let Some(entry) = entry {
                let _ = self.live.leave(id, entry.counter).await;
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
    fn a_replica_is_that_of_the_client_which_first_renewed_it() {
        let [one, other] = ["one", "other"].map(|name| ClientId::new(name).unwrap());
        let id = ReplicaId::from_bytes([1; 16]);
        let now = MonoTime::from_millis(0);
        let followers =
            HashMap::from([(id, Follower { client: one.clone(), applied: Position::ZERO, lease_until: now })]);
        assert_eq!(Node::check_owner(&followers, id, &one), Ok(()));
        assert_eq!(Node::check_owner(&followers, id, &other), Err(FollowerFault::OtherClient));
        assert_eq!(Node::check_owner(&followers, ReplicaId::from_bytes([2; 16]), &other), Ok(()));
    }

    #[test]
    fn one_client_takes_half_of_the_places_at_most() {
        let [one, other] = ["one", "other"].map(|name| ClientId::new(name).unwrap());
        let id = |n: usize| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            ReplicaId::from_bytes(bytes)
        };
        let follower =
            || Follower { client: one.clone(), applied: Position::ZERO, lease_until: MonoTime::from_millis(0) };
        let mut followers: HashMap<_, _> = (1..OF_ONE_CLIENT).map(|n| (id(n), follower())).collect();
        assert_eq!(Node::check_share(&followers, id(0), &one), Ok(()));
        followers.insert(id(0), follower());
        let refused = Err(FollowerFault::TooMany { limit: OF_ONE_CLIENT });
        assert_eq!(Node::check_share(&followers, id(OF_ONE_CLIENT), &one), refused);
        assert_eq!(Node::check_share(&followers, id(7), &one), Ok(()), "those that are there go on");
        assert_eq!(Node::check_share(&followers, id(OF_ONE_CLIENT), &other), Ok(()));
    }

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
