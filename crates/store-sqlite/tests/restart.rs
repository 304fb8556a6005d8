//! What a store keeps over a restart, and what it leaves in its folder.

#![expect(clippy::unwrap_used, reason = "a test without a store fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use misario_core::changes::{Epoch, FenceKey, Position};
use misario_core::store::{
    ChangeLog, Inserted, LogRead, RecordKind, RecordStore, Revision, SessionFilter, SessionStore, StoreError, Swapped,
};
use misario_store_sqlite::{Options, SqliteStore};
use misario_testkit::samples::{
    NOW, appended, change, ended, fenced, inserted, kinds, loaded, record, recorded, renewal, replica, session, sid,
    subject, touched,
};

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("misario.db"), Options::default()).unwrap()
}

/// Closes the store as a server does, or leaves that to the drop.
async fn leave(store: SqliteStore, politely: bool) {
    if politely {
        store.close().await.unwrap();
    }
    drop(store);
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    for politely in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let session_at = inserted(&store, &session(1)).await;
        let Swapped::Done(swapped_at) = store.swap(&touched(&session(1)), session_at).await.unwrap() else {
            panic!("the revision was right")
        };
        let record_at = recorded(&store, &record("u1", Some("alice"))).await;
        for kind in kinds() {
            appended(&store, change(kind, NOW.saturating_add(900))).await;
        }
        let cut_off = fenced(&store, FenceKey::User(subject("bob"))).await;
        let log = store.snapshot().await.unwrap();
        let page = store.list(SessionFilter::All, None, 10).await.unwrap();
        leave(store, politely).await;

        let store = open(folder.path());
        let found = loaded(&store, &sid(1)).await;
        assert_eq!((found.session, found.revision), (touched(&session(1)), swapped_at));
        assert_eq!(found.as_of, cut_off);
        let found = store.load_by_alias(RecordKind::User, "alice").await.unwrap().unwrap();
        assert_eq!((found.key.as_str(), found.revision), ("u1", record_at));
        assert_eq!(store.snapshot().await.unwrap(), log);
        assert_eq!(store.head().await.unwrap(), cut_off);
        assert_eq!(store.list(SessionFilter::All, None, 10).await.unwrap(), page);
        let fences = store.fences(&[FenceKey::User(subject("bob"))]).await.unwrap();
        assert_eq!(fences.fences[0].unwrap().before, cut_off);
    }
}

#[tokio::test]
async fn a_restart_repeats_no_revision_and_no_position() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let session_at = inserted(&store, &session(1)).await;
    let record_at = recorded(&store, &record("u1", None)).await;
    assert!(store.remove(&sid(1)).await.unwrap());
    assert!(store.remove_record(RecordKind::User, "u1", record_at).await.unwrap());
    let head = appended(&store, ended(1, NOW)).await;
    assert_eq!(store.prune(NOW.saturating_add(1), 10).await.unwrap(), 1);
    leave(store, true).await;

    let store = open(folder.path());
    assert!(inserted(&store, &session(1)).await > session_at.max(record_at));
    assert!(recorded(&store, &record("u1", None)).await > session_at.max(record_at));
    assert_eq!(store.head().await.unwrap(), head);
    let before = Position::new(head.epoch, head.sequence - 1);
    assert_eq!(store.read_from(before, 10).await.unwrap(), LogRead::Gap);
    let next = Position::new(Epoch(head.epoch.0 + 1), head.sequence + 1);
    assert_eq!(appended(&store, ended(2, NOW)).await, next);
    assert_eq!(store.read_from(head, 10).await.unwrap(), LogRead::Entries(vec![ended(2, NOW).at_position(next)]));
    assert_eq!(appended(&store, ended(3, NOW)).await, next.next());
}

#[tokio::test]
async fn leases_of_the_process_before_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.renew(renewal(1, store.head().await.unwrap())).await.unwrap();
    assert_eq!(store.replicas().await.unwrap().len(), 1);
    leave(store, true).await;
    assert!(open(folder.path()).replicas().await.unwrap().is_empty());
}

#[tokio::test]
async fn each_opening_begins_an_epoch_with_its_first_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let mut head = Position::new(Epoch(7), 0);
    // Nothing was appended yet, but somebody may have made a backup of that.
    let made = SqliteStore::open(&path, Options { epoch: Epoch(7), ..Options::default() }).unwrap();
    assert_eq!(made.head().await.unwrap(), head);
    drop(made);
    for (given, begun) in [(7, 8), (9, 9), (9, 10), (3, 11), (50, 50)] {
        let store = SqliteStore::open(&path, Options { epoch: Epoch(given), ..Options::default() }).unwrap();
        assert_eq!(store.head().await.unwrap(), head, "nothing was appended since");
        head = appended(&store, ended(1, NOW)).await;
        assert_eq!(head.epoch, Epoch(begun), "{given}");
    }
    assert_eq!(head.sequence, 5, "numbers go on");
}

/// A backup that was put back has forgotten the positions that were given since: whatever is revoked from here on comes
/// after them, and whoever followed the log that was lost starts again.
#[tokio::test]
async fn what_a_restored_file_revokes_comes_after_everything_it_forgot() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let kept = appended(&store, ended(1, NOW)).await;
    leave(store, true).await;
    let backup = fs::read(folder.path().join("misario.db")).unwrap();

    let mut forgotten = kept;
    for number in 2..20 {
        let options = Options { epoch: Epoch(1_000 + u32::from(number > 10)), ..Options::default() };
        let store = SqliteStore::open(&folder.path().join("misario.db"), options).unwrap();
        forgotten = appended(&store, ended(number, NOW)).await;
        leave(store, true).await;
    }
    fs::write(folder.path().join("misario.db"), backup).unwrap();
    let options = Options { epoch: Epoch(1_800), ..Options::default() };
    let store = SqliteStore::open(&folder.path().join("misario.db"), options).unwrap();
    assert_eq!(store.head().await.unwrap(), kept);
    let revoked = appended(&store, ended(2, NOW)).await;
    assert!(revoked > forgotten, "{revoked} {forgotten}");
    for number in 3..20 {
        appended(&store, ended(number, NOW)).await;
    }
    assert_eq!(store.read_from(forgotten, 10).await.unwrap(), LogRead::Gap, "it never had that entry");
    let LogRead::Entries(entries) = store.read_from(kept, 100).await.unwrap() else { panic!("it is of this log") };
    assert_eq!(entries.len(), 18);
}

/// A file of the first version gets the new columns, and what was in it stays.
#[tokio::test]
async fn a_file_of_an_earlier_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch(include_str!("../src/schema/1.sql")).unwrap();
    raw.execute_batch("INSERT INTO marks (only, epoch, head, base, revision) VALUES (1, 4, 9, 9, 3)").unwrap();
    raw.pragma_update(None, "application_id", 0x6d69_7361).unwrap();
    raw.pragma_update(None, "user_version", 1).unwrap();
    raw.close().unwrap();
    let store = open(folder.path());
    let head = Position::new(Epoch(4), 9);
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(store.read_from(head, 10).await.unwrap(), LogRead::Entries(Vec::new()));
    assert_eq!(appended(&store, ended(1, NOW)).await, Position::new(Epoch(5), 10));
    leave(store, true).await;
    assert_eq!(
        open(folder.path()).read_from(head, 10).await.unwrap(),
        LogRead::Entries(vec![ended(1, NOW).at_position(Position::new(Epoch(5), 10))])
    );
}

#[tokio::test]
async fn nobody_else_can_read_the_files() {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    // Made before, for everybody, by a careless hand.
    fs::write(folder.path().join("misario.db"), "").unwrap();
    fs::set_permissions(folder.path().join("misario.db"), fs::Permissions::from_mode(0o666)).unwrap();
    let store = open(folder.path());
    inserted(&store, &session(1)).await;
    for name in ["misario.db", "misario.db-wal", "misario.db-shm", "misario.db.lock"] {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

/// Every verb of the contract says that the store is not there.
async fn every_verb_fails(store: &SqliteStore) {
    fn failed<T: std::fmt::Debug>(verb: &str, answer: Result<T, StoreError>) {
        assert_eq!(answer.unwrap_err().code(), "store_unavailable", "{verb}");
    }
    let head = Position::new(Epoch(1), 0);
    let later = NOW.saturating_add(1_000_000);
    failed("insert", store.insert(&session(2)).await);
    failed("load", store.load(&sid(1)).await);
    failed("swap", store.swap(&session(1), Revision(1)).await);
    failed("remove", store.remove(&sid(1)).await);
    failed("list", store.list(SessionFilter::All, None, 10).await);
    failed("sweep", store.sweep_sessions(later, 10).await);
    failed("append", store.append(ended(1, NOW)).await);
    failed("read_from", store.read_from(head, 10).await);
    failed("snapshot", store.snapshot().await);
    failed("head", store.head().await);
    failed("wait_beyond", store.wait_beyond(head).await);
    failed("wait_beyond", store.wait_beyond(head.next()).await);
    failed("fences", store.fences(&[FenceKey::Everything]).await);
    failed("renew", store.renew(renewal(1, head)).await);
    failed("replicas", store.replicas().await);
    failed("leave", store.leave(replica(1), 1).await);
    failed("prune", store.prune(later, 10).await);
    failed("insert_record", store.insert_record(record("u1", None)).await);
    failed("load_record", store.load_record(RecordKind::User, "u1").await);
    failed("load_by_alias", store.load_by_alias(RecordKind::User, "alice").await);
    failed("swap_record", store.swap_record(record("u1", None), Revision(1)).await);
    failed("remove_record", store.remove_record(RecordKind::User, "u1", Revision(1)).await);
    failed("list_records", store.list_records(RecordKind::User, None, 10).await);
}

#[tokio::test]
async fn closing_leaves_one_file_and_answers_nobody_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    inserted(&store, &session(1)).await;
    let head = store.head().await.unwrap();
    let waiting = store.wait_beyond(head);
    let (closed, waited) = tokio::join!(store.close(), waiting);
    closed.unwrap();
    assert_eq!(waited.unwrap_err().code(), "store_unavailable", "there is nothing to wait for");
    store.close().await.unwrap();
    assert!(!folder.path().join("misario.db-wal").exists());
    every_verb_fails(&store).await;
    // Closed is closed, though the value is still there.
    let next = open(folder.path());
    assert_eq!(next.insert(&session(1)).await.unwrap(), Inserted::Exists);
}

#[tokio::test]
async fn what_was_under_way_is_answered_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(open(folder.path()));
    let mut inserts = tokio::task::JoinSet::new();
    for number in 0..200 {
        let store = std::sync::Arc::clone(&store);
        inserts.spawn(async move { (number, store.insert(&session(number)).await) });
    }
    tokio::task::yield_now().await;
    store.close().await.unwrap();
    let answers = inserts.join_all().await;
    drop(store);
    let store = open(folder.path());
    for (number, answer) in answers {
        let there = store.load(&sid(number)).await.unwrap().is_some();
        assert_eq!(there, answer.is_ok(), "{number}: {answer:?}");
    }
}
