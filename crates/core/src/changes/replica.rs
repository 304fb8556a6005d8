//! Whoever answers checks from memory: the machine that knows when it may.
//!
//! A host keeps it behind a lock, together with the caches that it answers from, and holds to this:
//! - A check reads its clock, *then* takes the lock for reading, asks for the lease, and looks at caches and view, all
//!   under the one lock (rule 18). The view must never be looked at before the lease: between the two, a change might
//!   be applied and a grant that names it taken, and the check would say yes from the old view under the new lease.
//! - A change is applied under the lock for writing, and what it covers leaves the caches under the same lock. So the
//!   position that a renewal acknowledges is shown by all of them (rule 17), and a lease that a change activates is not
//!   there before the caches show the change.
//! - A renewal is sent after [`Replica::renew`] returned, and its answer handed in with the nonce it names.

use std::time::Duration;

use misario_jose::{Entropy, UnixTime};

use super::lease::{Lease, LeaseConfig};
use super::recent::Recent;
use super::{Applied, Change, MonoTime, Nonce, Position, SyncError, View};
use crate::id::ReplicaId;

/// What one incarnation of a verifier knows, and until when it may answer from that.
#[derive(Debug)]
pub struct Replica {
    config: LeaseConfig,
    id: ReplicaId,
    phase: Phase,
    joins: u64,
    view: View,
    recent: Recent,
    lease: Lease,
    /// The longest lease that this incarnation asks for.
    asked_ttl: Duration,
    last_renewal: Option<MonoTime>,
    /// The latest time that the driver has shown.
    clock: MonoTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    NeverSynced,
    Following,
    Gap,
    Left,
}

/// A request for a lease, to be sent to the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewRequest {
    /// The incarnation that asks.
    pub id: ReplicaId,
    /// Names the request.
    pub nonce: Nonce,
    /// What it, and for a parent its subtree, has applied: an acknowledgement (rules 6 and 17).
    pub applied: Position,
    /// The lease to ask for. A store writes it into the registry, and grants just that.
    pub ttl: Duration,
}

/// What became of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// It counts.
    Active,
    /// It will count once its head is applied: the replica is behind, which is a reason to fetch (no push is needed).
    Pending,
    /// It answers no request that is under way (rule 2).
    Ignored,
}

/// Whether the replica may answer from memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseState {
    /// It may.
    Held {
        /// Until then.
        until: MonoTime,
    },
    /// It must not.
    None {
        /// Why.
        why: NoLease,
    },
}

impl LeaseState {
    /// Whether the replica may answer from memory.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Held { .. })
    }
}

/// Why there is no lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLease {
    /// It has not joined, or has not been granted one since.
    NeverSynced,
    /// It ran out.
    Expired,
    /// It missed changes and starts again from a snapshot.
    Gap,
    /// It has left.
    Left,
}

impl NoLease {
    /// The stable code of this reason.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NeverSynced => "lease_never_synced",
            Self::Expired => "lease_expired",
            Self::Gap => "lease_gap",
            Self::Left => "lease_left",
        }
    }
}

/// What a load has to show to be cached: when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadTicket {
    join: u64,
    position: Position,
}

impl Replica {
    /// A replica that has not joined. Its id is random (rule 1).
    pub fn new(config: LeaseConfig, entropy: &dyn Entropy) -> Self {
        Self {
            config,
            id: ReplicaId::generate(entropy),
            phase: Phase::NeverSynced,
            joins: 0,
            view: View::default(),
            recent: Recent::new(Position::ZERO),
            lease: Lease::default(),
            asked_ttl: config.ttl,
            last_renewal: None,
            clock: MonoTime::default(),
        }
    }

    /// The incarnation.
    pub const fn id(&self) -> ReplicaId {
        self.id
    }

    /// What it knows. Nothing may be answered from it without a lease that was asked for *before* (rule 18).
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// How it reckons leases.
    pub const fn config(&self) -> &LeaseConfig {
        &self.config
    }

    /// Asks for leases of `ttl` from here on: what the parent announces. A shorter one sets the heartbeat at once, and
    /// is asked for after the next join only: a store's registry keeps one ttl per incarnation, and must not forget a
    /// longer lease that is still in force (rule 11).
    pub fn set_ttl(&mut self, ttl: Duration) {
        self.config.ttl = ttl;
        self.asked_ttl = self.asked_ttl.max(ttl);
    }

    /// A request for a lease, sent at `now`; none while there is no view to be leased.
    pub fn renew(&mut self, now: MonoTime, entropy: &dyn Entropy) -> Option<RenewRequest> {
        self.renew_for_subtree(now, self.view.applied(), entropy)
    }

    /// As [`Replica::renew`], for a parent: acknowledges only what its children have acknowledged too
    /// ([`super::Parent::subtree_applied`], rule 6). Its own lease does not wait for them.
    pub fn renew_for_subtree(
        &mut self,
        now: MonoTime,
        subtree: Position,
        entropy: &dyn Entropy,
    ) -> Option<RenewRequest> {
        self.observe(now);
        if self.phase != Phase::Following {
            return None;
        }
        let nonce = Nonce::generate(entropy);
        self.lease.sent(nonce, now);
        self.last_renewal = Some(now);
        Some(RenewRequest { id: self.id, nonce, applied: subtree.min(self.view.applied()), ttl: self.asked_ttl })
    }

    /// Takes the answer to the request `nonce`: a lease of `ttl` from when that was sent, less the margin, once `head`
    /// is applied (rules 2 and 3).
    pub fn granted(&mut self, now: MonoTime, nonce: Nonce, ttl: Duration, head: Position) -> Granted {
        self.observe(now);
        let Some(t0) = self.lease.answered(nonce) else { return Granted::Ignored };
        let until = t0.plus(ttl.saturating_sub(self.config.margin(ttl)));
        self.lease.granted(until, head, self.view.applied());
        if head <= self.view.applied() { Granted::Active } else { Granted::Pending }
    }

    /// Applies the next change of the log. An error means that only a snapshot helps; the lease is gone (rule 15).
    pub fn apply(&mut self, change: &Change) -> Result<Applied, SyncError> {
        match self.phase {
            Phase::Following => {}
            Phase::NeverSynced | Phase::Gap => return Err(SyncError::NeedsSnapshot),
            Phase::Left => return Err(SyncError::Left),
        }
        let applied = self.view.apply(change).inspect_err(|_| self.rejoin())?;
        if applied == Applied::Done {
            self.recent.push(change);
            self.lease.activate(self.view.applied());
        }
        Ok(applied)
    }

    /// Stops answering because changes were missed, until a snapshot is adopted (rule 15).
    pub fn rejoin(&mut self) {
        self.lease.drop_all();
        if self.phase == Phase::Following {
            self.phase = Phase::Gap;
        }
    }

    /// Starts (again) from a snapshot. The view may go back by it, so lease, pending grants and requests under way are
    /// dropped first, and from here on this is another incarnation (rule 4). The host empties its caches under the same
    /// lock (rule 21), and may say that the id which is returned has left, since nothing answers under it any more; a
    /// parent may not as long as leases that it granted as that incarnation are out (rule 5).
    pub fn adopt_snapshot(
        &mut self,
        position: Position,
        changes: &[Change],
        entropy: &dyn Entropy,
    ) -> Result<ReplicaId, SyncError> {
        self.rejoin();
        if self.phase == Phase::Left {
            return Err(SyncError::Left);
        }
        self.view = View::from_snapshot(position, changes)?;
        self.recent = Recent::new(position);
        self.joins += 1;
        self.phase = Phase::Following;
        self.asked_ttl = self.config.ttl;
        self.last_renewal = None;
        Ok(std::mem::replace(&mut self.id, ReplicaId::generate(entropy)))
    }

    /// Whether the replica may answer from memory at `now`, a time that was read after the check began and before this
    /// is called (rule 18).
    pub fn lease(&self, now: MonoTime) -> LeaseState {
        let why = match (self.phase, self.lease.until()) {
            (Phase::Left, _) => NoLease::Left,
            (Phase::Gap, _) => NoLease::Gap,
            (Phase::NeverSynced, _) | (Phase::Following, None) => NoLease::NeverSynced,
            (Phase::Following, Some(until)) if now < until && !self.is_far_behind(now) => {
                return LeaseState::Held { until };
            }
            (Phase::Following, Some(_)) => NoLease::Expired,
        };
        LeaseState::None { why }
    }

    /// When to renew next: a heartbeat after the last time, at once if never; none while there is no view.
    pub fn next_heartbeat(&self, now: MonoTime) -> Option<MonoTime> {
        (self.phase == Phase::Following)
            .then(|| self.last_renewal.map_or(now, |last| last.plus(self.config.heartbeat())))
    }

    /// The position that a grant says the log has reached, if it is ahead of the view: fetch the changes.
    pub fn behind(&self) -> Option<Position> {
        self.lease.awaited()
    }

    /// Stops answering for good, and returns the id to be named in the word of leave (rule 5). A parent asks
    /// [`super::Parent::close`] first.
    pub fn leave(&mut self) -> ReplicaId {
        self.lease.drop_all();
        self.phase = Phase::Left;
        self.id
    }

    /// Forgets revocations that are over; see [`View::prune`].
    pub fn prune(&mut self, now: UnixTime) {
        self.view.prune(now);
    }

    /// A load begins: to be called before the store or the authority is asked.
    pub const fn begin_load(&self) -> LoadTicket {
        LoadTicket { join: self.joins, position: self.view.applied() }
    }

    /// Whether a loaded value that is at least as new as the position `as_of` may be cached: no change that covers it
    /// was applied since, that is still known, and the replica did not rejoin (rules 20 and 21).
    pub fn may_cache(&self, ticket: &LoadTicket, as_of: Position, covers: impl Fn(&Change) -> bool) -> bool {
        ticket.join == self.joins && self.phase == Phase::Following && self.recent.none_since(as_of, covers)
    }

    /// A monotonic clock does not go back. Where one does (or where two tasks hand in their readings in the other
    /// order) what was noted before is moved back with it, so no lease lasts longer for it.
    fn observe(&mut self, now: MonoTime) {
        if now < self.clock {
            let by = self.clock.since(now);
            self.lease.set_back(by);
            self.last_renewal = self.last_renewal.map(|last| last.minus(by));
        }
        self.clock = now;
    }

    /// Whether a check's clock stands so far before the driver's that it was set back, not just read a moment earlier.
    fn is_far_behind(&self, now: MonoTime) -> bool {
        self.clock.since(now) > self.config.margin(self.config.ttl)
    }
}

#[cfg(test)]
mod tests;
