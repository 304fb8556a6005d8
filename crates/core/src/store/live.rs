//! Live state: sessions, fences, the change log and the replica registry.

use std::time::Duration;

use misario_jose::UnixTime;

use super::{Revision, StoreFuture};
use crate::changes::{Change, Fence, FenceKey, NewChange, Position};
use crate::id::{AppId, ReplicaId, SessionId, Subject};
use crate::session::Session;

/// Everything live in one store.
pub trait LiveStore: SessionStore + ChangeLog {}
impl<T: SessionStore + ChangeLog> LiveStore for T {}

/// The records behind logins.
///
/// The verbs that write compare the session's `issued` position with the fences that concern it (its login, user and
/// app, and everything) in the same atomic step (PROTOCOL rule 23).
pub trait SessionStore: Send + Sync {
    /// Creates the session, if its handle is free and it is not fenced off.
    fn insert<'a>(&'a self, session: &'a Session) -> StoreFuture<'a, Inserted>;

    /// The session with its revision, the fences that concern it, and a log position read before or atomically with
    /// them (rule 20).
    fn load<'a>(&'a self, sid: &'a SessionId) -> StoreFuture<'a, Option<LoadedSession>>;

    /// Replaces the session, if it is still at `expected` and not fenced off.
    fn swap<'a>(&'a self, session: &'a Session, expected: Revision) -> StoreFuture<'a, Swapped>;

    /// Removes the session; whether it was there. Clean-up after a revocation, never the revocation itself.
    fn remove<'a>(&'a self, sid: &'a SessionId) -> StoreFuture<'a, bool>;

    /// Sessions in the order of their handles, at most `limit` (taken as 1 to 1,000).
    fn list(&self, filter: SessionFilter, after: Option<Cursor>, limit: u32) -> StoreFuture<'_, Page>;

    /// Removes at most `limit` sessions whose `login_exp` or idle deadline lies before `ended_before`; how many.
    fn sweep_sessions(&self, ended_before: UnixTime, limit: u32) -> StoreFuture<'_, u32>;
}

/// The change log, its fences and the registry of replicas.
pub trait ChangeLog: Send + Sync {
    /// Appends the change, writes its fence, and reads the registry, in one atomic step (rules 8 and 23). Entries of its
    /// topic that were there before live until its `at` at most: it says the same anew.
    fn append(&self, change: NewChange) -> StoreFuture<'_, Appended>;

    /// The entries after `position`, at most `limit`, in order without a gap; or the word that this cannot be had.
    fn read_from(&self, position: Position, limit: u32) -> StoreFuture<'_, LogRead>;

    /// All entries that are still kept, with the position they are complete to: what a replica that joins starts from.
    fn snapshot(&self) -> StoreFuture<'_, (Position, Vec<Change>)>;

    /// The position of the last entry.
    fn head(&self) -> StoreFuture<'_, Position>;

    /// Ends when the head is not `position` any more, or sooner: a wake-up, not a promise. It has no deadline.
    fn wait_beyond(&self, position: Position) -> StoreFuture<'_, ()>;

    /// The fences of `keys`, in their order, with a log position read before or atomically with them.
    fn fences<'a>(&'a self, keys: &'a [FenceKey]) -> StoreFuture<'a, Fences>;

    /// Registers the replica or renews its entry, and names the head, in one atomic step. Every call raises the
    /// entry's counter.
    fn renew(&self, renewal: Renewal) -> StoreFuture<'_, Position>;

    /// The registry.
    fn replicas(&self) -> StoreFuture<'_, Vec<RegistryEntry>>;

    /// Removes the entry, if its counter is still `counter` (rules 5 and 10); whether it was removed.
    fn leave(&self, id: ReplicaId, counter: u64) -> StoreFuture<'_, bool>;

    /// Prunes entries whose `until` lies before `now`, and fences likewise, at most `limit` of both together; how many.
    /// An entry that is older and lives longer stays, and a reader below the pruned one gets the gap.
    fn prune(&self, now: UnixTime, limit: u32) -> StoreFuture<'_, u32>;
}

/// What became of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is there.
    Done(Revision),
    /// The handle was taken; nothing changed.
    Exists,
    /// A fence refuses it; nothing changed.
    Fenced,
}

/// What became of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swapped {
    /// It is there.
    Done(Revision),
    /// Somebody else changed it first; nothing changed.
    Conflict,
    /// It was removed; it stays removed.
    Gone,
    /// A fence refuses it; nothing changed.
    Fenced,
}

/// A session as read.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedSession {
    /// The record.
    pub session: Session,
    /// For a swap.
    pub revision: Revision,
    /// The log position that this reading is at least as new as.
    pub as_of: Position,
    /// The latest cut-off of the fences that end it (login, user, app, everything), if there is one.
    pub revoked_before: Option<Position>,
    /// The cut-off before which its grant is stale, if there is one.
    pub stale_before: Option<Position>,
}

impl LoadedSession {
    /// Whether a fence refuses the session.
    pub fn is_fenced(&self) -> bool {
        self.revoked_before.is_some_and(|before| super::fencing::refuses(before, self.session.issued))
    }

    /// Whether the user's roles have to be read again.
    pub fn is_stale(&self) -> bool {
        self.stale_before.is_some_and(|before| self.session.grant_at < before)
    }
}

/// Which sessions to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionFilter {
    /// All.
    All,
    /// A user's.
    Of(Subject),
    /// A user's in one app.
    OfIn(Subject, AppId),
    /// An app's.
    In(AppId),
}

/// Where a page ended; the next begins after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub SessionId);

/// A page of sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The sessions.
    pub sessions: Vec<(Session, Revision)>,
    /// Where to go on; absent: this was the last page.
    pub next: Option<Cursor>,
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The entry's place.
    pub position: Position,
    /// The registry, as read with the append. A barrier waits for these and never looks at later states (rules 8, 9).
    pub registry: Vec<RegistryEntry>,
}

/// What a reading of the log found.
#[derive(Debug, Clone, PartialEq)]
pub enum LogRead {
    /// The entries after the position asked for.
    Entries(Vec<Change>),
    /// Some of them were pruned, or the position is none of this log, or beyond its head (the store was put back to an
    /// earlier state): start again from a snapshot (rule 15).
    Gap,
}

/// The fences asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fences {
    /// The log position that the fences are at least as new as.
    pub as_of: Position,
    /// One per key asked for.
    pub fences: Vec<Option<Fence>>,
}

/// A replica's call for (another) lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Which incarnation.
    pub id: ReplicaId,
    /// What it has applied, its subtree included (rule 6).
    pub applied: Position,
    /// How long the lease is that it will take.
    pub ttl: Duration,
}

/// A replica in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistryEntry {
    /// Which incarnation.
    pub id: ReplicaId,
    /// What it had applied when it last renewed.
    pub applied: Position,
    /// The longest lease it was granted (rule 11).
    pub ttl: Duration,
    /// Raised by every renewal: "unchanged for `ttl` on my own clock" means that the lease has run out (rule 10).
    pub counter: u64,
}
