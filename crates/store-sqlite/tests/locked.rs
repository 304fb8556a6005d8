//! One process per store; the second one is told who has it.

#![expect(clippy::panic, reason = "a test without a store fails")]

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
    assert_eq!(std::fs::read_to_string(folder.path().join("misario.lock")).unwrap(), "");
}

#[test]
fn another_name_of_the_file_is_the_same_store() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.db");
    let _store = open(&path).unwrap();
    let link = elsewhere.path().join("other.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    holder(&link);
    let folder_link = elsewhere.path().join("folder");
    std::os::unix::fs::symlink(folder.path(), &folder_link).unwrap();
    holder(&folder_link.join("misario.db"));
    holder(&folder.path().join(".").join("misario.db"));
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(&folder.path().join("missing").join("misario.db")).unwrap_err();
    assert_eq!(error.code(), "store_unavailable");
    assert!(!folder.path().join("missing").exists());
}
