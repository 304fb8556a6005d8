//! The whole store contract in memory: for tests, and for instances whose logins may end with the process.
//!
//! One lock around everything makes every verb atomic. Nothing survives the process. Whoever starts it again beside
//! records that did survive gives it an epoch that was never used ([`MemoryStore::in_epoch`]): in a repeated one, the
//! positions in credentials that are still out there would look newer than the revocations to come. That nobody
//! remembers the leases of the process before is the host's concern (PROTOCOL rule 14).

mod fences;
mod live;
mod log;
mod records;
mod sessions;
mod wait;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::fences::Fences;
use self::log::Log;
use self::records::Records;
use self::sessions::Sessions;
use self::wait::Waiting;
use super::{Registry, Revision};
use crate::changes::Epoch;

/// A store in memory, empty at first. It shows nothing of what it holds.
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    sessions: Sessions,
    records: Records,
    log: Log,
    fences: Fences,
    registry: Registry,
    waiting: Waiting,
    revisions: Revisions,
}

/// Where revisions come from: one count for everything, so that none is used twice.
#[derive(Debug, Default)]
struct Revisions(u64);

impl Revisions {
    const fn next(&mut self) -> Revision {
        self.0 += 1;
        Revision(self.0)
    }
}

impl MemoryStore {
    /// An empty store whose log begins in the first epoch.
    pub fn new() -> Self {
        Self::in_epoch(Epoch(1))
    }

    /// An empty store whose log begins in `epoch`.
    pub fn in_epoch(epoch: Epoch) -> Self {
        Self {
            state: Mutex::new(State {
                sessions: Sessions::default(),
                records: Records::default(),
                log: Log::new(epoch),
                fences: Fences::default(),
                registry: Registry::default(),
                waiting: Waiting::default(),
                revisions: Revisions::default(),
            }),
        }
    }

    /// Each step under the lock leaves a whole state behind, also if it panics: what can panic comes before any change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}
