//! Records: users, clients, keys, apps. Durable, few, changed by compare-and-swap.

use std::fmt;

use super::{Revision, StoreFuture};

/// The kinds of record. The name is the stored form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecordKind {
    /// A [`crate::user::User`]; key: subject, alias: user name.
    User,
    /// A [`crate::client::Client`]; key: client id.
    Client,
    /// An [`crate::app::App`] with the origin of its settings; key: app id.
    App,
    /// A signing key, sealed; key: `kid`.
    SigningKey,
    /// One-of-a-kind facts of the instance; key: their name.
    Instance,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::User, Self::Client, Self::App, Self::SigningKey, Self::Instance];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Client => "client",
            Self::App => "app",
            Self::SigningKey => "signing_key",
            Self::Instance => "instance",
        }
    }
}

/// A record to create.
#[derive(Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Its kind.
    pub kind: RecordKind,
    /// Unique within its kind; at most [`MAX_KEY`](super::limits::MAX_KEY) octets.
    pub key: String,
    /// A second name, unique within its kind, if it has one; as long as a key.
    pub alias: Option<String>,
    /// Its content, as JSON; at most [`MAX_BODY`](super::limits::MAX_BODY) octets.
    pub body: String,
}

/// A record as read.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Its key.
    pub key: String,
    /// Its second name.
    pub alias: Option<String>,
    /// Its content, as JSON.
    pub body: String,
    /// For a swap.
    pub revision: Revision,
}

// Bodies hold password hashes, digests and sealed keys: they are in nobody's log, nor is who has which name.

impl fmt::Debug for NewRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, key, body, .. } = self;
        f.debug_struct("NewRecord")
            .field("kind", kind)
            .field("key", key)
            .field("octets", &body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, body, revision, .. } = self;
        f.debug_struct("Record")
            .field("key", key)
            .field("octets", &body.len())
            .field("revision", revision)
            .finish_non_exhaustive()
    }
}

/// What became of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordInserted {
    /// It is there.
    Done(Revision),
    /// The key or the alias was taken; nothing changed.
    Exists,
}

/// What became of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordSwapped {
    /// It is there.
    Done(Revision),
    /// Somebody else changed it first, or the new alias is taken; nothing changed.
    Conflict,
    /// It was removed; it stays removed.
    Gone,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// In the order of their keys (bytewise).
    pub records: Vec<Record>,
    /// The key to go on after; absent: this was the last page.
    pub next: Option<String>,
}

/// Durable records. A revision is never used twice for one key, so that a record which was removed and made again
/// cannot be mistaken for the one that was read.
pub trait RecordStore: Send + Sync {
    /// Creates the record, if key and alias are free.
    fn insert_record(&self, record: NewRecord) -> StoreFuture<'_, RecordInserted>;

    /// The record of that key.
    fn load_record<'a>(&'a self, kind: RecordKind, key: &'a str) -> StoreFuture<'a, Option<Record>>;

    /// The record of that second name.
    fn load_by_alias<'a>(&'a self, kind: RecordKind, alias: &'a str) -> StoreFuture<'a, Option<Record>>;

    /// Replaces alias and body, if the record is still at `expected`.
    fn swap_record(&self, record: NewRecord, expected: Revision) -> StoreFuture<'_, RecordSwapped>;

    /// Removes the record, if it is still at `expected`; whether it was removed.
    fn remove_record<'a>(&'a self, kind: RecordKind, key: &'a str, expected: Revision) -> StoreFuture<'a, bool>;

    /// Records of a kind after a key, at most `limit` (taken as 1 to 1,000).
    fn list_records<'a>(&'a self, kind: RecordKind, after: Option<&'a str>, limit: u32) -> StoreFuture<'a, RecordPage>;
}
