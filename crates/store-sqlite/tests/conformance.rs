//! The store in one SQLite file keeps the contract.

#![expect(clippy::unwrap_used, reason = "a test without a store fails")]

use std::sync::Arc;

use misario_store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

fn make() -> (Arc<SqliteStore>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("misario.db"), Options::default()).unwrap();
    (Arc::new(store), folder)
}

misario_testkit::conformance!(make, race_rounds = 100_000);
