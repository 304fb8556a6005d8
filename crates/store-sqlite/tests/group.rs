//! Writes that come together share a commit and nothing else.

#![expect(clippy::unwrap_used, reason = "a test without a store fails")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use misario_core::store::{Inserted, NewRecord, RecordStore, SessionStore, StoreError};
use misario_store_sqlite::{Options, SqliteStore};
use misario_testkit::samples::{inserted, record, session, session_of, sid};
use rusqlite::Connection;

fn open(path: &Path, options: Options) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(path, options).unwrap())
}

/// The answers to `count` inserts that are all under way at once.
async fn inserts(
    store: &Arc<SqliteStore>,
    count: u64,
    owner: fn(u64) -> &'static str,
) -> Vec<(u64, Result<Inserted, StoreError>)> {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..count {
        let store = Arc::clone(store);
        tasks.spawn(async move { (number, store.insert(&session_of(number, owner(number), "web")).await) });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn concurrent_writes_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("misario.db"), Options::default());
    let before = store.counters();
    for (_, answer) in inserts(&store, 2_000, |_| "alice").await {
        assert!(matches!(answer, Ok(Inserted::Done(_))));
    }
    let after = store.counters();
    let (writes, commits) = (after.writes - before.writes, after.commits - before.commits);
    assert_eq!(writes, 2_000);
    assert!(commits * 4 < writes, "{commits} commits for {writes} writes");
    assert!(after.checkpoints > before.checkpoints, "2,000 writes are worth a checkpoint");
    assert_eq!(after.failures, 0);
}

#[tokio::test]
async fn a_write_that_fails_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    drop(open(&path, Options::default()));
    // Whoever looks at this fence finds that no such epoch can be.
    let raw = Connection::open(&path).unwrap();
    raw.execute("INSERT INTO fences (key, epoch, seq) VALUES ('user:mallory', -1, 1)", []).unwrap();
    drop(raw);

    let store = open(&path, Options::default());
    let owner = |number: u64| if number.is_multiple_of(7) { "mallory" } else { "alice" };
    for (number, answer) in inserts(&store, 300, owner).await {
        if number.is_multiple_of(7) {
            assert!(matches!(answer, Err(StoreError::Corrupt { what: "position", .. })), "{answer:?}");
        } else {
            assert!(matches!(answer, Ok(Inserted::Done(_))), "{answer:?}");
        }
        assert_eq!(store.load(&sid(number)).await.unwrap().is_some(), !number.is_multiple_of(7));
    }
    let counters = store.counters();
    assert!(counters.commits < counters.writes, "{counters:?}");
    assert_eq!(counters.failures, 300_u64.div_ceil(7));
}

#[tokio::test]
async fn who_waits_too_long_is_told_and_what_had_not_begun_does_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let deadline = Duration::from_millis(150);
    let store = open(&path, Options { deadline, ..Options::default() });
    inserted(&*store, &session(1)).await;
    let stranger = Connection::open(&path).unwrap();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();

    // The first write waits for the stranger, the second for the first.
    for number in [2, 3] {
        let late = store.insert(&session(number)).await;
        assert!(matches!(late, Err(StoreError::Timeout { after_ms: 150 })), "{late:?}");
    }
    assert!(store.load(&sid(1)).await.unwrap().is_some(), "reading goes on");

    stranger.execute_batch("COMMIT").unwrap();
    // As soon as one write is through, the two before it are decided.
    while store.insert(&session(4)).await.is_err() {}
    assert!(store.load(&sid(2)).await.unwrap().is_some(), "it had begun, and it happened late");
    assert!(store.load(&sid(3)).await.unwrap().is_none(), "it had not begun, and nobody waits for it");
}

/// Somebody who reads without end keeps the log from being emptied; it grows, and neither writing nor closing waits.
#[tokio::test]
async fn no_write_and_no_end_waits_for_a_strangers_reading() {
    /// Beyond this many octets of log the store tries to empty it; more than that is written.
    const MUCH: u64 = 64 * 1024 * 1024;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let log = folder.path().join("misario.db-wal");
    let store = open(&path, Options::default());
    inserted(&*store, &session(1)).await;
    let stranger = Connection::open(&path).unwrap();
    stranger.execute_batch("BEGIN").unwrap();
    let read = |sql| stranger.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(read("SELECT count(*) FROM sessions"), 1);

    let size = || std::fs::metadata(&log).unwrap().len();
    let body = "x".repeat(60_000);
    let mut tries = 0;
    for number in 0.. {
        let checkpoints = store.counters().checkpoints;
        let record = NewRecord { body: body.clone(), ..record(&format!("r{number}"), None) };
        // Without the short patience this is a timeout.
        store.insert_record(record).await.unwrap();
        tries += u64::from(size() > MUCH && store.counters().checkpoints > checkpoints);
        if tries == 2 {
            break;
        }
    }
    assert!(store.load(&sid(1)).await.unwrap().is_some());
    tokio::time::timeout(Duration::from_secs(20), store.close()).await.expect("closing waits").unwrap();
    assert_eq!(read("SELECT count(*) FROM records"), 0, "the stranger still sees its moment");
    assert!(log.exists(), "and the log that it needs");
}

#[tokio::test]
async fn a_reading_never_waits_for_a_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let store = open(&path, Options::default());
    inserted(&*store, &session(1)).await;
    let stranger = Connection::open(&path).unwrap();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let write = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.insert(&session(2)).await }
    });
    for _ in 0..100 {
        assert!(store.load(&sid(1)).await.unwrap().is_some());
        assert!(store.load(&sid(2)).await.unwrap().is_none());
    }
    stranger.execute_batch("COMMIT").unwrap();
    assert!(matches!(write.await.unwrap(), Ok(Inserted::Done(_))));
}
