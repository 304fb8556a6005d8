//! The store in memory keeps the contract.

use std::sync::Arc;

use misario_core::store::{MemoryStore, NewRecord, RecordKind};
use misario_testkit::samples::{read, record, recorded};

fn make() -> (Arc<MemoryStore>, ()) {
    (Arc::new(MemoryStore::new()), ())
}

misario_testkit::conformance!(make, race_rounds = 100_000);

/// Whoever logs a record, a store, or a state that has one in it logs no password hash and no sealed key.
#[test]
fn neither_a_record_nor_the_store_shows_what_it_holds() {
    const CANARY: &str = "canary-of-a-hash";
    const NAME: &str = "canary-of-a-name";
    let store = Arc::new(MemoryStore::new());
    let kept = Arc::clone(&store);
    misario_testkit::conformance::run(
        || (kept, ()),
        async |store| {
            let new = NewRecord { body: CANARY.to_owned(), ..record("u1", Some(NAME)) };
            let page = read(&new, recorded(&*store, &new).await);
            assert_eq!(store.load_record(RecordKind::User, "u1").await.unwrap(), Some(page.clone()));
            let shown = format!("{new:?} {page:?} {:?}", store.list_records(RecordKind::User, None, 10).await);
            assert!(shown.contains("u1") && shown.contains("16"), "{shown}");
            assert!(!shown.contains(CANARY) && !shown.contains(NAME), "{shown}");
        },
    );
    let shown = format!("{store:?}");
    assert!(!shown.contains("canary") && !shown.contains("u1"), "{shown}");
}
