//! A full disk: said as that, nothing acknowledged is lost, and with room again it simply goes on.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test without a store fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use misario_core::changes::{FenceKey, Position};
use misario_core::session::Session;
use misario_core::store::{ChangeLog, Inserted, NewRecord, RecordKind, RecordStore, SessionStore, StoreError};
use misario_store_sqlite::{Options, SqliteStore};
use misario_testkit::child::{self, Again};
use misario_testkit::samples::{fenced, fencing, inserted, loaded, record, session, sid};

/// A session of some size.
fn bulky(number: u64) -> Session {
    Session { data: Some(serde_json::Value::String("x".repeat(20_000))), ..session(number) }
}

/// Inserts until there is no room; how many were acknowledged.
async fn fill(store: &SqliteStore) -> u64 {
    for number in 0..10_000 {
        match store.insert(&bulky(number)).await {
            Ok(Inserted::Done(_)) => {}
            Err(StoreError::Full) => return number,
            other => panic!("neither done nor full: {other:?}"),
        }
    }
    panic!("there is always room");
}

/// What was acknowledged is there, the one that was refused is not, and every verb that writes says the same.
async fn check_full(store: &SqliteStore, acknowledged: u64) {
    for number in 0..acknowledged {
        assert_eq!(loaded(store, &sid(number)).await.session, bulky(number));
    }
    assert!(store.load(&sid(acknowledged)).await.unwrap().is_none());
    let head = store.head().await.unwrap();
    let huge = NewRecord { body: "x".repeat(60_000), ..record("u1", None) };
    assert!(matches!(store.insert_record(huge).await, Err(StoreError::Full)));
    assert!(store.load_record(RecordKind::User, "u1").await.unwrap().is_none());
    assert_eq!(store.head().await.unwrap(), head);
}

#[tokio::test]
async fn a_file_at_its_limit_is_full_and_goes_on_when_something_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let options = Options { max_bytes: Some(1024 * 1024), ..Options::default() };
    let store = SqliteStore::open(&path, options).unwrap();
    let acknowledged = fill(&store).await;
    assert!(acknowledged > 10, "{acknowledged}");
    check_full(&store, acknowledged).await;

    // Removing needs no room, and makes some.
    for number in 0..4 {
        assert!(store.remove(&sid(number)).await.unwrap());
    }
    inserted(&store, &bulky(0)).await;
    fenced(&store, FenceKey::Everything).await;
    store.close().await.unwrap();
    assert!(fs::metadata(&path).unwrap().len() <= 1024 * 1024);
}

const TEST: &str = "a_full_disk_loses_nothing_that_was_acknowledged";

/// A disk of 2 MiB in a namespace of the child's own: it needs no rights outside and is gone with the child.
const ON_A_SMALL_DISK: [&str; 5] = ["unshare", "--mount", "--map-root-user", "sh", "-c"];

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    if let Some(folder) = child::role() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(on_a_small_disk(folder.as_ref()));
        return child::tell("done");
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = format!(r#"mount -t tmpfs -o size=2m tmpfs "{}" && exec "$0" "$@""#, folder.path().display());
    let outer: Vec<&str> = ON_A_SMALL_DISK.into_iter().chain([mount.as_str()]).collect();
    let possible = Command::new(outer[0]).args(&outer[1..]).arg("true").status();
    if !possible.is_ok_and(|status| status.success()) {
        // Containers without user namespaces; the file's own limit is tested above.
        assert!(!child::nothing_may_be_skipped(), "no small disk can be made here: user namespaces are off");
        return eprintln!("SKIPPED: no small disk can be made here, user namespaces are off");
    }
    let (told, well) = Again::test_under(&outer, TEST).role(folder.path().to_str().unwrap()).start().wait();
    assert_eq!((told.last().map(String::as_str), well), (Some("done"), true));
}

/// A revocation is small, and some fit where a session did not; the one that does not fit has left no trace.
async fn revoke_until_full(store: &SqliteStore) -> Position {
    let mut last = store.head().await.unwrap();
    for number in 0..10_000 {
        let key = FenceKey::Login(sid(1_000_000 + number));
        match store.append(fencing(key.clone(), None)).await {
            Ok(appended) => last = appended.position,
            Err(StoreError::Full) => {
                assert_eq!(store.head().await.unwrap(), last);
                assert_eq!(store.snapshot().await.unwrap().0, last);
                assert_eq!(store.fences(&[key]).await.unwrap().fences, [None]);
                return last;
            }
            Err(other) => panic!("neither done nor full: {other:?}"),
        }
    }
    panic!("there is always room");
}

async fn on_a_small_disk(folder: &Path) {
    let path = folder.join("misario.db");
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![0; 512 * 1024]).unwrap();
    let store = SqliteStore::open(&path, Options::default()).unwrap();
    let acknowledged = fill(&store).await;
    assert!(acknowledged > 10, "{acknowledged}");
    // The last octets go too.
    let mut rest = fs::OpenOptions::new().append(true).open(&ballast).unwrap();
    while std::io::Write::write_all(&mut rest, &[0; 512]).is_ok() {}
    check_full(&store, acknowledged).await;
    let head = revoke_until_full(&store).await;

    // Room again: the same store goes on, without repair and without a restart.
    drop(rest);
    fs::remove_file(&ballast).unwrap();
    inserted(&store, &bulky(acknowledged)).await;
    assert_eq!(fenced(&store, FenceKey::Everything).await, head.next());
    drop(store);

    let store = SqliteStore::open(&path, Options::default()).unwrap();
    for number in 0..=acknowledged {
        assert!(loaded(&store, &sid(number)).await.is_fenced());
    }
    // And with no room at all for a start, that is what is said.
    drop(store);
    for file in fs::read_dir(folder).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    let mut rest = fs::File::create(&ballast).unwrap();
    while std::io::Write::write_all(&mut rest, &[0; 512]).is_ok() {}
    assert_eq!(SqliteStore::open(&path, Options::default()).unwrap_err().code(), "store_full");
}
