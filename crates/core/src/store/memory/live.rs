//! The live verbs: one lock each, no step outside it.

use std::sync::Arc;

use misario_jose::UnixTime;

use super::MemoryStore;
use super::wait::Beyond;
use crate::changes::{Change, CodecError, Fence, FenceKey, NewChange, Position, codec};
use crate::id::{ReplicaId, SessionId};
use crate::session::Session;
use crate::store::{
    Appended, ChangeLog, Cursor, Fences, Inserted, LoadedSession, LogRead, Page, RegistryEntry, Renewal, Revision,
    SessionFilter, SessionStore, StoreError, StoreFuture, Swapped, fencing, limits,
};

impl SessionStore for MemoryStore {
    fn insert<'a>(&'a self, session: &'a Session) -> StoreFuture<'a, Inserted> {
        Box::pin(async move {
            limits::check_session(session)?;
            let state = &mut *self.state();
            if state.fences.refuse(session) {
                return Ok(Inserted::Fenced);
            }
            Ok(state.sessions.insert(session, &mut state.revisions))
        })
    }

    fn load<'a>(&'a self, sid: &'a SessionId) -> StoreFuture<'a, Option<LoadedSession>> {
        Box::pin(async move {
            let state = self.state();
            let Some((session, revision)) = state.sessions.load(sid) else {
                return Ok(None);
            };
            let as_of = state.log.head();
            let revoked_before = state.fences.revoked_before(&session);
            let stale_before = state.fences.find(&fencing::staling(&session)).map(|fence| fence.before);
            drop(state);
            let session = Arc::unwrap_or_clone(session);
            Ok(Some(LoadedSession { session, revision, as_of, revoked_before, stale_before }))
        })
    }

    fn swap<'a>(&'a self, session: &'a Session, expected: Revision) -> StoreFuture<'a, Swapped> {
        Box::pin(async move {
            limits::check_session(session)?;
            let state = &mut *self.state();
            if state.fences.refuse(session) {
                return Ok(Swapped::Fenced);
            }
            Ok(state.sessions.swap(session, expected, &mut state.revisions))
        })
    }

    fn remove<'a>(&'a self, sid: &'a SessionId) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(self.state().sessions.remove(sid)) })
    }

    fn list(&self, filter: SessionFilter, after: Option<Cursor>, limit: u32) -> StoreFuture<'_, Page> {
        Box::pin(async move {
            let limit = limits::page_size(limit) as usize;
            let mut found = self.state().sessions.list(&filter, after, limit + 1);
            let more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().filter(|_| more).map(|(session, _)| Cursor(session.sid));
            let sessions = found.into_iter().map(|(session, at)| (Arc::unwrap_or_clone(session), at)).collect();
            Ok(Page { sessions, next })
        })
    }

    fn sweep_sessions(&self, ended_before: UnixTime, limit: u32) -> StoreFuture<'_, u32> {
        Box::pin(async move { Ok(count(self.state().sessions.sweep(ended_before, limit as usize))) })
    }
}

impl ChangeLog for MemoryStore {
    fn append(&self, mut change: NewChange) -> StoreFuture<'_, Appended> {
        Box::pin(async move {
            check_change(&change)?;
            let mut state = self.state();
            let fence = change.fence.take();
            let position = state.log.append(change);
            if let Some(fence) = fence {
                state.fences.raise(fence.key, Fence { before: position, until: fence.until });
            }
            let registry = state.registry.entries();
            let waiting = state.waiting.take();
            drop(state);
            for waker in waiting {
                waker.wake();
            }
            Ok(Appended { position, registry })
        })
    }

    fn read_from(&self, position: Position, limit: u32) -> StoreFuture<'_, LogRead> {
        Box::pin(async move { Ok(self.state().log.read_from(position, limit)) })
    }

    fn snapshot(&self) -> StoreFuture<'_, (Position, Vec<Change>)> {
        Box::pin(async move {
            let state = self.state();
            Ok((state.log.head(), state.log.kept()))
        })
    }

    fn head(&self) -> StoreFuture<'_, Position> {
        Box::pin(async move { Ok(self.state().log.head()) })
    }

    fn wait_beyond(&self, position: Position) -> StoreFuture<'_, ()> {
        Box::pin(Beyond::new(self, position))
    }

    fn fences<'a>(&'a self, keys: &'a [FenceKey]) -> StoreFuture<'a, Fences> {
        Box::pin(async move {
            let state = self.state();
            let fences = keys.iter().map(|key| state.fences.find(key)).collect();
            Ok(Fences { as_of: state.log.head(), fences })
        })
    }

    fn renew(&self, renewal: Renewal) -> StoreFuture<'_, Position> {
        Box::pin(async move {
            let mut state = self.state();
            state.registry.renew(renewal);
            Ok(state.log.head())
        })
    }

    fn replicas(&self) -> StoreFuture<'_, Vec<RegistryEntry>> {
        Box::pin(async move { Ok(self.state().registry.entries()) })
    }

    fn leave(&self, id: ReplicaId, counter: u64) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.state().registry.leave(id, counter)) })
    }

    fn prune(&self, now: UnixTime, limit: u32) -> StoreFuture<'_, u32> {
        Box::pin(async move {
            let mut state = self.state();
            let entries = state.log.prune(now, limit as usize);
            let fences = state.fences.prune(now, limit as usize - entries);
            Ok(count(entries + fences))
        })
    }
}

/// A change that no other store and no feed could take is refused here too.
fn check_change(change: &NewChange) -> Result<(), StoreError> {
    match codec::encode_kind(&change.kind) {
        Ok(_) => Ok(()),
        Err(CodecError::TooLarge { size, limit }) => Err(StoreError::TooLarge { what: "change", size, limit }),
        Err(other) => Err(StoreError::unavailable(other)),
    }
}

/// A number of things that was limited by a `u32`.
fn count(things: usize) -> u32 {
    u32::try_from(things).unwrap_or(u32::MAX)
}
