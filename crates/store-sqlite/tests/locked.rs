//! One process per store; the second one is told who has it.

#![expect(clippy::panic, reason = "a test without a store fails")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use misario_core::store::StoreError;
use misario_store_sqlite::{Options, SqliteStore};
use misario_testkit::child::{self, Again};

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, Options::default())
}

fn holder(path: &Path) -> String {
    match open(path) {
        Err(StoreError::Locked { holder }) => holder,
        other => panic!("the store was not locked: {other:?}"),
    }
}

#[test]
fn a_second_process_is_told_who_has_the_store() {
    if let Some(path) = child::role() {
        let store = open(path.as_ref()).unwrap();
        store.set_holder("misario serve, http://127.0.0.1:8420");
        child::tell("open");
        // Until the parent kills this process.
        loop {
            std::thread::park();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let start = || Again::test("a_second_process_is_told_who_has_the_store").role(path.to_str().unwrap()).start();
    let mut child = start();
    assert_eq!(child.line().as_deref(), Some("open"));
    let holder = holder(&path);
    assert!(holder.starts_with("pid ") && holder.ends_with(", misario serve, http://127.0.0.1:8420"), "{holder}");

    // A process that was killed holds nothing.
    child.kill();
    drop(open(&path).unwrap());
    assert_eq!(start().line().as_deref(), Some("open"));
}

#[test]
fn one_process_cannot_have_it_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let store = open(&path).unwrap();
    assert_eq!(holder(&path), format!("pid {}", std::process::id()));
    store.set_holder("line\none\x1b[31m\u{7}");
    assert_eq!(holder(&path), format!("pid {}, lineone[31m", std::process::id()));
    store.set_holder(&"x".repeat(10_000));
    assert!(holder(&path).len() <= 200);
    drop(store);
    drop(open(&path).unwrap());
    assert_eq!(fs::read_to_string(folder.path().join("misario.db.lock")).unwrap(), "");
}

/// What locks the others out is the file, whatever it is called and whatever became of the file beside it.
#[test]
fn another_name_of_the_file_is_the_same_store() {
    if let Some(path) = child::role() {
        let _store = open(path.as_ref()).unwrap();
        child::tell("open");
        loop {
            std::thread::park();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    // The first opening makes the file that the link leads to.
    let [link, hard_link, folder_link] = ["link.db", "hard.db", "folder"].map(|name| elsewhere.path().join(name));
    symlink(&path, &link).unwrap();
    symlink(folder.path(), &folder_link).unwrap();
    let mut child = Again::test("another_name_of_the_file_is_the_same_store").role(link.to_str().unwrap()).start();
    assert_eq!(child.line().as_deref(), Some("open"));
    let named = holder(&path);
    assert!(named.starts_with("pid "), "{named}");
    assert!(folder.path().join("misario.db-wal").exists(), "the log is beside the file, not beside its link");
    assert_eq!(holder(&folder_link.join("misario.db")), named);
    assert_eq!(holder(&folder.path().join(".").join("misario.db")), named);
    fs::hard_link(&path, &hard_link).unwrap();
    assert_eq!(holder(&hard_link), "another process", "the name is beside the other one");
    fs::remove_file(folder.path().join("misario.db.lock")).unwrap();
    assert_eq!(holder(&path), "another process");

    // In one process, too.
    child.kill();
    let _store = open(&hard_link).unwrap();
    holder(&path);
    holder(&link);
}

#[test]
fn two_stores_in_one_folder_are_two() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["records.db", "live.db"].map(|name| folder.path().join(name));
    let (one_open, _other_open) = (open(&one).unwrap(), open(&other).unwrap());
    one_open.set_holder("records");
    assert!(holder(&one).ends_with("records") && !holder(&other).ends_with("records"));
}

/// A process that is told it has the store already must not lose SQLite's locks by having asked: a stranger could take
/// itself for the last who has the file, and remove the log beside it.
#[test]
fn asking_twice_costs_the_store_none_of_its_locks() {
    if let Some(path) = child::role() {
        let file = fs::File::options().read(true).write(true).open(path).unwrap();
        // What SQLite asks for before it removes a log.
        let alone = rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
        return child::tell(if alone.is_ok() { "alone" } else { "not alone" });
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let store = open(&path).unwrap();
    let stranger = || {
        let again = Again::test("asking_twice_costs_the_store_none_of_its_locks");
        again.role(path.to_str().unwrap()).start().wait().0
    };
    assert_eq!(stranger(), ["not alone"]);
    holder(&path);
    assert_eq!(stranger(), ["not alone"]);
    drop(store);
    assert_eq!(stranger(), ["alone"]);
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(&folder.path().join("missing").join("misario.db")).unwrap_err();
    assert_eq!(error.code(), "store_unavailable");
    assert!(!folder.path().join("missing").exists());
}
