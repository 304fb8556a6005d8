//! Whoever grants leases to others: a server node, of the replicas connected to it.

use std::collections::HashMap;
use std::time::Duration;

use super::barrier::{Barrier, Holder};
use super::{LeaseState, MonoTime, Position, Replica};
use crate::id::ReplicaId;

/// The registry of a parent's children: what each has acknowledged, and which leases it was granted.
///
/// A parent is at once a [`Replica`] of its own parent or store; the two stand behind one lock, so that naming the head,
/// looking at the own lease and registering the child are one step (PROTOCOL rule 7).
#[derive(Debug)]
pub struct Parent {
    ttl: Duration,
    limit: usize,
    lost_until: Option<MonoTime>,
    closed: bool,
    children: HashMap<ReplicaId, Child>,
}

#[derive(Debug, Default)]
struct Child {
    acknowledged: Position,
    grants: Vec<Given>,
}

/// A lease that was given, with both of its fields (rule 3).
#[derive(Debug, Clone, Copy)]
struct Given {
    head: Position,
    end: MonoTime,
}

/// The children that a parent takes if nothing else is said.
const DEFAULT_LIMIT: usize = 10_000;

/// How many leases of a child are told apart. It renews eight times per lease and once per change.
const GIVEN: usize = 32;

/// The parent's own standing, read under the lock that [`Parent::renew`] is called under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    /// What it may grant under.
    pub lease: OwnLease,
    /// What it has applied itself.
    pub applied: Position,
}

/// What a parent may grant under (rule 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnLease {
    /// It owns the log: nobody has to lease it anything.
    Root,
    /// Its own active lease, to this end: the margin is taken off already.
    Until(MonoTime),
    /// It holds none. A pending grant does not count.
    None,
}

impl Own {
    /// The standing of a parent that is this replica.
    pub fn of(replica: &Replica, now: MonoTime) -> Self {
        let lease = match replica.lease(now) {
            LeaseState::Held { until } => OwnLease::Until(until),
            LeaseState::None { .. } => OwnLease::None,
        };
        Self { lease, applied: replica.view().applied() }
    }
}

/// A lease for a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// How long, counted by the child from when it sent its request.
    pub ttl: Duration,
    /// What the child has to have applied.
    pub head: Position,
}

/// A child gets no lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The parent holds none itself.
    #[error("this node holds no lease itself and can grant none")]
    NoLease,
    /// It has as many children as it takes.
    #[error("this node has its {limit} replicas and takes no more")]
    Full {
        /// How many it takes.
        limit: usize,
    },
    /// It is about to leave.
    #[error("this node is shutting down")]
    Closed,
}

impl GrantError {
    /// Code and meaning of each error, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("grant_no_lease", "A node without a lease was asked for one; it has lost its store or its parent."),
        ("grant_full", "A node has as many replicas as it takes; start another node or raise the limit."),
        ("grant_closed", "A node that is shutting down was asked for a lease; its replicas connect to another one."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoLease => "grant_no_lease",
            Self::Full { .. } => "grant_full",
            Self::Closed => "grant_closed",
        }
    }
}

impl Parent {
    /// A parent that started at `started_at`, grants leases of at most `ttl`, and may have granted such before, which
    /// it knows nothing of: for one `ttl` it acknowledges nothing and ends no barrier (rule 14).
    pub fn new(started_at: MonoTime, ttl: Duration) -> Self {
        Self {
            ttl,
            limit: DEFAULT_LIMIT,
            lost_until: Some(started_at.plus(ttl)),
            closed: false,
            children: HashMap::new(),
        }
    }

    /// The parent, which has lost nothing: whatever an earlier process granted was under a lease of its own, and that
    /// stands in a registry that outlived it, where it is waited for under the earlier id (rule 1).
    pub fn nothing_lost(mut self) -> Self {
        self.lost_until = None;
        self
    }

    /// The parent, which grants leases of at most `ttl` from here on: for a node whose earlier process granted longer
    /// ones, which are still waited for (rule 11).
    pub const fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// The parent with room for `limit` children.
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The longest lease that it grants.
    pub const fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Until when it cannot tell which leases are out (rule 14); absent: it can.
    pub const fn lost_registry_until(&self) -> Option<MonoTime> {
        self.lost_until
    }

    /// How many children have a lease, or had one until the last [`Parent::expire`].
    pub fn len(&self) -> usize {
        self.children.len()
    }

    /// Whether there is no child.
    pub fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// Takes a child's acknowledgement, and grants it a lease that began when its request was received, `now`, and
    /// ends before the parent's own (rule 7). The acknowledgement counts even if there is no lease to be had.
    pub fn renew(&mut self, id: ReplicaId, applied: Position, own: Own, now: MonoTime) -> Result<Grant, GrantError> {
        if let Some(child) = self.children.get_mut(&id) {
            child.acknowledged = child.acknowledged.max(applied);
        }
        let ttl = self.grantable(own.lease, now)?;
        if !self.children.contains_key(&id) && self.children.len() >= self.limit {
            self.expire(now);
            if self.children.len() >= self.limit {
                return Err(GrantError::Full { limit: self.limit });
            }
        }
        let child = self.children.entry(id).or_default();
        child.acknowledged = child.acknowledged.max(applied);
        child.give(Given { head: own.applied, end: now.plus(ttl) }, now);
        Ok(Grant { ttl, head: own.applied })
    }

    fn grantable(&self, lease: OwnLease, now: MonoTime) -> Result<Duration, GrantError> {
        let ttl = match lease {
            _ if self.closed => return Err(GrantError::Closed),
            OwnLease::Root => self.ttl,
            OwnLease::Until(until) => self.ttl.min(until.since(now)),
            OwnLease::None => return Err(GrantError::NoLease),
        };
        if ttl.is_zero() { Err(GrantError::NoLease) } else { Ok(ttl) }
    }

    /// Forgets a child that has stopped answering, and whatever it was granted (rule 5); whether it was known.
    pub fn leave(&mut self, id: ReplicaId) -> bool {
        self.children.remove(&id).is_some()
    }

    /// Forgets leases that have run out, and children that have none.
    pub fn expire(&mut self, now: MonoTime) {
        self.lost_until.take_if(|until| *until <= now);
        self.children.retain(|_, child| {
            child.expire(now);
            !child.grants.is_empty()
        });
    }

    /// What the parent and all that hold a lease of its have applied: the most that it may acknowledge upwards. A
    /// position counts once the parent itself has applied it and every child that was granted a lease before has
    /// acknowledged it, or that lease has run out: the barrier, one level down (rule 6). Leases granted after name a
    /// head that includes it.
    pub fn subtree_applied(&self, own: Position, now: MonoTime) -> Position {
        if self.lost_until.is_some_and(|until| now < until) {
            return Position::ZERO;
        }
        self.children.values().filter_map(|child| child.shown(now)).fold(own, Position::min)
    }

    /// The barrier over the leases that are out at `now`, for a `position` that the parent has applied.
    pub fn barrier(&self, position: Position, now: MonoTime) -> Barrier {
        let holders = self.children.iter().flat_map(|(id, child)| child.holding_without(position, *id, now));
        let barrier = Barrier::over(position, holders, now);
        match self.lost_until {
            Some(until) => barrier.not_before(until),
            None => barrier,
        }
    }

    /// Grants no more leases, and says from when on the parent may leave: when none that it granted is left (rule 5).
    pub fn close(&mut self, now: MonoTime) -> MonoTime {
        self.closed = true;
        let ends = self.children.values().flat_map(|child| &child.grants).map(|given| given.end);
        ends.chain(self.lost_until).fold(now, MonoTime::max)
    }
}

impl Child {
    fn expire(&mut self, now: MonoTime) {
        self.grants.retain(|given| now < given.end);
    }

    fn give(&mut self, given: Given, now: MonoTime) {
        self.expire(now);
        match self.grants.iter_mut().find(|known| known.head == given.head) {
            Some(known) => known.end = known.end.max(given.end),
            None => self.grants.push(given),
        }
        // Taking two for one that has the lower head and the later end waits too long at most.
        if self.grants.len() > GIVEN {
            let oldest = self.grants.remove(0);
            if let Some(next) = self.grants.first_mut() {
                *next = Given { head: next.head.min(oldest.head), end: next.end.max(oldest.end) };
            }
        }
    }

    /// What the child shows for certain if it holds a lease at all; `None` if it cannot hold one.
    fn shown(&self, now: MonoTime) -> Option<Position> {
        let heads = self.grants.iter().filter(|given| now < given.end).map(|given| given.head);
        heads.min().map(|head| head.max(self.acknowledged))
    }

    /// The leases under which the child may answer without showing `position`.
    fn holding_without(&self, position: Position, id: ReplicaId, now: MonoTime) -> impl Iterator<Item = Holder> {
        let acknowledged = self.acknowledged >= position;
        let grants = self.grants.iter().filter(move |given| !acknowledged && given.head < position && now < given.end);
        grants.map(move |given| Holder { id, end: given.end })
    }
}

#[cfg(test)]
mod tests;
