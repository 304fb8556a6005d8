//! Waiting until a change is true everywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{MonoTime, Position};
use crate::id::ReplicaId;
use crate::store::Appended;

/// Waits for those who held a lease when a change was appended, until each has acknowledged it, has left, or its lease
/// has run out on the waiter's clock.
///
/// Every append has a barrier of its own, with its own snapshot of the lease holders (PROTOCOL rules 8 and 9): an entry
/// as it stands later tells nothing about the leases that were out before, and who joins later starts from a head that
/// has the change. Whoever crashes while waiting leaves nothing behind: the change is in the log (rule 13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barrier {
    position: Position,
    started: MonoTime,
    /// Holders that have done neither yet, and when their lease ends at the latest.
    waiting: BTreeMap<ReplicaId, MonoTime>,
    /// The barrier does not end before this (rule 14).
    not_before: Option<MonoTime>,
    tally: Tally,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    acknowledged: usize,
    left: usize,
    fenced: usize,
}

/// A lease that was out when a change was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Whose.
    pub id: ReplicaId,
    /// Its end on the clock of whoever granted it.
    pub end: MonoTime,
}

/// How far a barrier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarrierState {
    /// Somebody may still answer without the change.
    Waiting {
        /// At the latest then it ends.
        until: MonoTime,
        /// How many are waited for.
        replicas: usize,
    },
    /// The change is true everywhere.
    Done(BarrierReport),
}

/// How a barrier ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BarrierReport {
    /// How many replicas acknowledged the change.
    pub acknowledged: usize,
    /// How many left instead.
    pub left: usize,
    /// How many did neither, and were waited for until their lease had run out.
    pub fenced: usize,
    /// How long it took.
    pub waited: Duration,
}

impl Barrier {
    /// The barrier of a store's append whose reply came at `replied` on the waiter's own clock.
    ///
    /// No clock of the store's is used: the leases in its registry were granted before the append, so they have ended
    /// one ttl after the reply (rule 10), each its own (rule 11). An entry that shows the position already has
    /// acknowledged it, which happens when a revocation is repeated by reading head and registry in one step (rule 12).
    pub fn after_append(appended: &Appended, replied: MonoTime) -> Self {
        let mut barrier = Self::over(
            appended.position,
            appended.registry.iter().map(|entry| Holder { id: entry.id, end: replied.plus(entry.ttl) }),
            replied,
        );
        for entry in &appended.registry {
            barrier.acknowledged(entry.id, entry.applied);
        }
        barrier
    }

    /// The barrier over these leases, which were out at `now` when the waiter had applied `position`.
    pub fn over(position: Position, holders: impl IntoIterator<Item = Holder>, now: MonoTime) -> Self {
        let mut waiting = BTreeMap::new();
        for holder in holders {
            let end = waiting.entry(holder.id).or_insert(holder.end);
            *end = holder.end.max(*end);
        }
        Self { position, started: now, waiting, not_before: None, tally: Tally::default() }
    }

    /// The barrier, but not over before `until`: for whoever may have lost its registry of leases (rule 14).
    pub fn not_before(mut self, until: MonoTime) -> Self {
        self.not_before = self.not_before.max(Some(until));
        self
    }

    /// What is waited for to be applied.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Takes note that a replica has applied the log up to `applied`. Its view does not go back while it holds a lease
    /// (rule 4), and an id is never used twice (rule 1), so that stays true.
    pub fn acknowledged(&mut self, id: ReplicaId, applied: Position) {
        if applied >= self.position && self.waiting.remove(&id).is_some() {
            self.tally.acknowledged += 1;
        }
    }

    /// Takes note that the entry of a replica is gone: it has left, having stopped answering before (rule 5), or was
    /// removed because its lease had run out (rule 10).
    pub fn left(&mut self, id: ReplicaId) {
        if self.waiting.remove(&id).is_some() {
            self.tally.left += 1;
        }
    }

    /// Those that are still waited for: to be woken.
    pub fn waiting_for(&self) -> impl Iterator<Item = ReplicaId> {
        self.waiting.keys().copied()
    }

    /// How far it is at `now`. A clock that is set back makes it wait longer, never shorter.
    pub fn poll(&mut self, now: MonoTime) -> BarrierState {
        let before = self.waiting.len();
        self.waiting.retain(|_, end| now < *end);
        self.tally.fenced += before - self.waiting.len();
        let not_before = self.not_before.filter(|until| now < *until);
        match self.waiting.values().copied().max().max(not_before) {
            Some(until) => BarrierState::Waiting { until, replicas: self.waiting.len() },
            None => BarrierState::Done(BarrierReport {
                acknowledged: self.tally.acknowledged,
                left: self.tally.left,
                fenced: self.tally.fenced,
                waited: now.since(self.started),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
