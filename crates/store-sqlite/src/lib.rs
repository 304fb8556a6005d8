//! misario's store contract on one SQLite file: records and live state, durable to the last acknowledged write.
//!
//! One process has the file (the lock is on the file, and a word beside it says who), one thread of that process writes
//! to it. The writer takes whatever waits and commits it together, so that many writers share one fsync; every write is a
//! savepoint of its own, so that one which fails fails alone. A few more threads read. There is no policy here: what a
//! session is worth and when a fence refuses it is decided in [`misario_core`].
//!
//! - **Durable**: `journal_mode = WAL`, `synchronous = FULL`. A verb that returned survives `kill -9` and power loss, as
//!   far as the disk keeps its word. If an fsync fails, nobody knows what the disk holds: the store then refuses every
//!   further write until it is opened again.
//! - **Late**: a verb that had no answer within [`Options::deadline`] gives [`StoreError::Timeout`]. A write that had
//!   not begun by then is dropped; one that had begun may still happen.
//! - **The replica registry** lives in memory and dies with the process, which is the only one: a heartbeat costs no
//!   I/O. After a start, the host has to wait as if leases were out (PROTOCOL rule 14).
//! - Verbs are polled inside a Tokio runtime with its timer on; opening and dropping block for some milliseconds.
//!
//! ```no_run
//! # async fn example() -> Result<(), misario_core::store::StoreError> {
//! use misario_core::store::ChangeLog;
//! use misario_store_sqlite::{Options, SqliteStore};
//!
//! let store = SqliteStore::open("misario.db".as_ref(), Options::default())?;
//! store.set_holder("misario serve, http://127.0.0.1:8420");
//! println!("the log stands at {}", store.head().await?);
//! store.close().await
//! # }
//! ```
//!
//! [`StoreError::Timeout`]: misario_core::store::StoreError::Timeout

mod cell;
mod counters;
mod failure;
mod files;
mod live;
mod lock;
mod marks;
mod open;
mod readers;
mod records;
mod schema;
mod standing;
mod store;
mod writer;

pub use counters::Counters;
pub use store::{Options, SqliteStore};
