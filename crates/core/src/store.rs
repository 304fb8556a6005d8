//! The store contract: few verbs, all safe under concurrency, none optional, none with policy.
//!
//! Two roles. **Records** ([`RecordStore`]: users, clients, keys, apps) are durable and change rarely. **Live state**
//! ([`SessionStore`] and [`ChangeLog`]: sessions, the change log, fences, the replica registry) changes all the time.
//! One store may play both.
//!
//! What every verb promises:
//! - *Not found* is `None`, a lost race is a variant of the answer. Neither is an error, and an error is never "not
//!   there": a caller that gets [`StoreError`] knows nothing and must not let anybody in or log anybody out.
//! - There is no upsert: [`SessionStore::insert`] only creates, [`SessionStore::swap`] only changes what it was shown,
//!   what was removed stays removed. (An upsert brings logged-out sessions back.)
//! - Nothing is judged by time here. A record past its end is returned like any other; [`crate::session`] decides.
//! - A verb that returned is durable to the level the store documents. A verb that failed, timed out or was dropped
//!   before its end may have happened.
//! - A verb does nothing until it is polled.

mod error;
pub mod fencing;
pub mod limits;
mod live;
mod memory;
mod records;
mod registry;

use std::pin::Pin;

pub use error::StoreError;
pub use live::{
    Appended, ChangeLog, Cursor, Fences, Inserted, LiveStore, LoadedSession, LogRead, Page, RegistryEntry, Renewal,
    SessionFilter, SessionStore, Swapped,
};
pub use memory::MemoryStore;
pub use records::{NewRecord, Record, RecordInserted, RecordKind, RecordPage, RecordStore, RecordSwapped};
pub use registry::Registry;

/// A verb's answer to come. Boxed, because a check that hits memory makes no store call at all.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The state of a stored thing at the time it was read; a swap succeeds only from the revision it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(pub u64);
