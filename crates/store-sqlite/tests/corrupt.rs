//! A damaged file, or one that is not ours, is called that; nothing panics, nothing is made worse.

#![expect(clippy::unwrap_used, reason = "a test without a store fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use misario_core::changes::FenceKey;
use misario_core::store::{ChangeLog, RecordKind, RecordStore, SessionFilter, SessionStore, StoreError};
use misario_jose::digest;
use misario_store_sqlite::{Options, SqliteStore};
use misario_testkit::entropy::SeededEntropy;
use misario_testkit::samples::{NOW, fenced, inserted, record, recorded, session, sid, subject};
use rusqlite::Connection;
use tempfile::TempDir;

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, Options::default())
}

/// A store with something of everything in it, closed.
async fn filled() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let store = open(&path).unwrap();
    for number in 0..40 {
        inserted(&store, &session(number)).await;
        recorded(&store, &record(&format!("u{number}"), Some(&format!("user-{number}")))).await;
    }
    for number in 0..40 {
        fenced(&store, FenceKey::User(subject(&format!("user-{number}")))).await;
    }
    store.close().await.unwrap();
    (folder, path)
}

fn change(path: &Path, statement: &str) {
    let raw = Connection::open(path).unwrap();
    assert!(raw.execute(statement, []).unwrap() > 0);
    raw.close().unwrap();
}

#[tokio::test]
async fn a_broken_header_is_damage() {
    let (_folder, path) = filled().await;
    let whole = fs::read(&path).unwrap();
    for broken in [b"This is a letter to my landlord.".repeat(200), [&[0; 64][..], &whole[64..]].concat(), {
        let mut octets = whole.clone();
        octets[3] ^= 0xff;
        octets
    }] {
        fs::write(&path, &broken).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { what: "file", .. }), "{error:?}");
        assert_eq!(fs::read(&path).unwrap(), broken, "the evidence is left as it was");
    }
}

#[tokio::test]
async fn a_file_that_lost_its_end_is_damage() {
    let (_folder, path) = filled().await;
    let whole = fs::read(&path).unwrap();
    for pages in [1, 2, 5] {
        fs::write(&path, &whole[..4096 * pages]).unwrap();
        let codes = every_verb(&path).await;
        assert!(codes.contains(&"store_corrupt"), "{pages} pages: {codes:?}");
        assert!(codes.iter().all(|code| *code == "store_corrupt"), "{pages} pages: {codes:?}");
    }
}

/// The error codes of everything one can do with the store, opening included.
async fn every_verb(path: &Path) -> Vec<&'static str> {
    let store = match open(path) {
        Ok(store) => store,
        Err(error) => return vec![error.code()],
    };
    let mut codes = Vec::new();
    let mut note = |error: Option<StoreError>| codes.extend(error.map(|error| error.code()));
    for number in 0..45 {
        note(store.load(&sid(number)).await.err());
        note(store.load_record(RecordKind::User, &format!("u{number}")).await.err());
        note(store.load_by_alias(RecordKind::User, &format!("user-{number}")).await.err());
        note(store.fences(&[FenceKey::User(subject(&format!("user-{number}")))]).await.err());
    }
    note(store.list(SessionFilter::All, None, 1_000).await.err());
    note(store.list(SessionFilter::Of(subject("alice")), None, 1_000).await.err());
    note(store.list_records(RecordKind::User, None, 1_000).await.err());
    note(store.snapshot().await.err());
    note(store.read_from(store.head().await.unwrap(), 10).await.err());
    note(store.insert(&session(100)).await.err());
    note(store.insert_record(record("u100", Some("user-100"))).await.err());
    note(store.append(misario_testkit::samples::ended(1, NOW)).await.err());
    note(store.remove(&sid(3)).await.err());
    note(store.prune(NOW.saturating_add(10_000), 10).await.err());
    note(store.sweep_sessions(NOW.saturating_add(1_000_000), 10).await.err());
    note(store.close().await.err());
    codes
}

#[tokio::test]
async fn flipped_pages_are_damage_and_never_a_panic() {
    let (_folder, path) = filled().await;
    let whole = fs::read(&path).unwrap();
    let mut found = 0;
    for seed in 0..misario_testkit::conformance::rounds(60, 2_000) {
        let dice = SeededEntropy::new(seed);
        let mut octets = whole.clone();
        let from = 4096 * dice.below(octets.len() as u64 / 4096);
        for _ in 0..=dice.below(64) {
            let at = usize::try_from(from + dice.below(4096)).unwrap();
            octets[at] ^= 1 << dice.below(8);
        }
        fs::write(&path, octets).unwrap();
        for (name, ending) in [("log", "-wal"), ("index", "-shm")] {
            let beside = PathBuf::from(format!("{}{ending}", path.display()));
            assert!(!beside.exists() || fs::remove_file(beside).is_ok(), "{name}");
        }
        let codes = every_verb(&path).await;
        found += u64::from(codes.contains(&"store_corrupt"));
        let known = ["store_corrupt", "store_foreign", "store_version", "store_unavailable", "store_full"];
        assert!(codes.iter().all(|code| known.contains(code)), "seed {seed}: {codes:?}");
    }
    assert!(found > 20, "flipped bits were found {found} times");
}

#[tokio::test]
async fn one_damaged_row_harms_no_other() {
    let (_folder, path) = filled().await;
    change(&path, "UPDATE sessions SET body = substr(body, 1, 50) WHERE sid = x'00000000000000000000000000000003'");
    change(
        &path,
        "UPDATE sessions SET body = (SELECT body FROM sessions WHERE sid = x'00000000000000000000000000000005')
                   WHERE sid = x'00000000000000000000000000000004'",
    );
    change(&path, "UPDATE log SET kind = x'01ff' WHERE seq = 2");
    let store = open(&path).unwrap();
    for number in [3, 4] {
        let error = store.load(&sid(number)).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { what: "session", .. }), "{error:?}");
    }
    assert!(store.load(&sid(5)).await.unwrap().is_some());
    let error = store.snapshot().await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { what: "log entry", .. }), "{error:?}");
    assert!(store.remove(&sid(3)).await.unwrap());
}

/// Every file of the folder: name, mode and octets.
fn everything(folder: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::metadata(&path).unwrap().permissions().mode() & 0o777, fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn another_programs_file_is_left_as_it_was() {
    for journal in ["DELETE", "WAL"] {
        let folder = tempfile::tempdir().unwrap();
        let raw = Connection::open(folder.path().join("theirs.db")).unwrap();
        raw.pragma_update(None, "journal_mode", journal).unwrap();
        raw.execute_batch("CREATE TABLE diary (entry TEXT); INSERT INTO diary VALUES ('dear diary')").unwrap();
        // As a crash leaves it: what was written is in the log beside the file.
        for ending in ["", "-wal"] {
            let copy = folder.path().join(format!("misario.db{ending}"));
            if let Ok(_octets) = fs::copy(folder.path().join(format!("theirs.db{ending}")), &copy) {
                fs::set_permissions(copy, fs::Permissions::from_mode(0o664)).unwrap();
            }
        }
        raw.close().unwrap();
        let before = everything(folder.path());
        assert_eq!(open(&folder.path().join("misario.db")).unwrap_err().code(), "store_foreign");
        let mut after = everything(folder.path());
        // SQLite reads a log by an index, and makes it if there is none.
        after.retain(|(name, ..)| name != "misario.db-shm");
        let brief = |files: &[(String, u32, Vec<u8>)]| -> Vec<_> {
            files.iter().map(|(name, mode, octets)| (name.clone(), *mode, digest::sha256(octets))).collect()
        };
        assert_eq!(brief(&after), brief(&before), "{journal}");
    }
}

#[tokio::test]
async fn a_later_version_is_left_as_it_was() {
    let (_folder, path) = filled().await;
    let raw = Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", 3).unwrap();
    raw.close().unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(open(&path).unwrap_err(), StoreError::Version { found: 3, known: 2 }));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn garbage_in_the_log_beside_the_file_is_not_replayed() {
    let (_folder, path) = filled().await;
    fs::write(format!("{}-wal", path.display()), b"not a frame ".repeat(1_000)).unwrap();
    assert_eq!(every_verb(&path).await, Vec::<&str>::new());
}
