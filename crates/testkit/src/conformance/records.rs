//! The laws of records.

use std::sync::Arc;

use misario_core::store::{NewRecord, RecordInserted, RecordKind, RecordSwapped, Revision};

use super::Store;
use crate::samples::{read, record, recorded};

const KIND: RecordKind = RecordKind::User;

/// What was put in comes out, by key and by alias; nothing else is there.
pub async fn an_inserted_record_is_loaded_as_it_was(store: Arc<dyn Store>) {
    let new = record("u1", Some("alice"));
    let revision = recorded(&*store, &new).await;
    let expected = Some(read(&new, revision));
    assert_eq!(store.load_record(KIND, "u1").await.unwrap(), expected);
    assert_eq!(store.load_by_alias(KIND, "alice").await.unwrap(), expected);
    for (key, alias) in [("u2", "bob"), ("alice", "u1"), ("U1", "Alice"), ("", "")] {
        assert_eq!(store.load_record(KIND, key).await.unwrap(), None, "{key:?}");
        assert_eq!(store.load_by_alias(KIND, alias).await.unwrap(), None, "{alias:?}");
    }
}

/// A key that is taken stays with its first record; the kinds have nothing to do with each other.
pub async fn insert_only_creates_in_each_kind(store: Arc<dyn Store>) {
    let mut firsts = Vec::new();
    for kind in RecordKind::ALL {
        let new = NewRecord { kind, body: format!("{:?}", kind.name()), ..record("k", Some("a")) };
        firsts.push((kind, read(&new, recorded(&*store, &new).await)));
    }
    for (kind, first) in &firsts {
        let second = NewRecord { kind: *kind, ..record("k", None) };
        assert_eq!(store.insert_record(second).await.unwrap(), RecordInserted::Exists);
        assert_eq!(store.load_record(*kind, "k").await.unwrap().as_ref(), Some(first));
        assert_eq!(store.load_by_alias(*kind, "a").await.unwrap().as_ref(), Some(first));
    }
}

/// Neither an insert nor a swap takes an alias from somebody else; no alias is no clash.
pub async fn an_alias_is_unique(store: Arc<dyn Store>) {
    let first = record("u1", Some("alice"));
    let first_at = recorded(&*store, &first).await;
    assert_eq!(store.insert_record(record("u2", Some("alice"))).await.unwrap(), RecordInserted::Exists);
    assert_eq!(store.load_record(KIND, "u2").await.unwrap(), None);

    let second = record("u2", None);
    let second_at = recorded(&*store, &second).await;
    recorded(&*store, &record("u3", None)).await;
    let thief = record("u2", Some("alice"));
    assert_eq!(store.swap_record(thief, second_at).await.unwrap(), RecordSwapped::Conflict);
    assert_eq!(store.load_record(KIND, "u2").await.unwrap(), Some(read(&second, second_at)));
    assert_eq!(store.load_by_alias(KIND, "alice").await.unwrap(), Some(read(&first, first_at)));
}

/// It can be kept, changed, given up and taken by somebody else.
pub async fn an_alias_follows_its_record(store: Arc<dyn Store>) {
    let mut at = recorded(&*store, &record("u1", Some("alice"))).await;
    for alias in [Some("alice"), Some("alicia"), None, Some("alice")] {
        let next = record("u1", alias);
        let RecordSwapped::Done(revision) = store.swap_record(next.clone(), at).await.unwrap() else {
            panic!("{alias:?} is free")
        };
        at = revision;
        for name in ["alice", "alicia"] {
            let expected = (alias == Some(name)).then(|| read(&next, at));
            assert_eq!(store.load_by_alias(KIND, name).await.unwrap(), expected);
        }
    }
    recorded(&*store, &record("u2", Some("alicia"))).await;
    assert!(store.remove_record(KIND, "u1", at).await.unwrap());
    assert_eq!(store.load_by_alias(KIND, "alice").await.unwrap(), None);
    recorded(&*store, &record("u3", Some("alice"))).await;
}

/// From any other revision nothing changes; what was removed stays removed.
pub async fn swap_changes_only_what_it_was_shown(store: Arc<dyn Store>) {
    let first = record("u1", Some("alice"));
    let revision = recorded(&*store, &first).await;
    let second = NewRecord { body: "{}".to_owned(), ..first.clone() };
    for wrong in [Revision(revision.0 + 1), Revision(0), Revision(u64::MAX)] {
        assert_eq!(store.swap_record(second.clone(), wrong).await.unwrap(), RecordSwapped::Conflict);
    }
    assert_eq!(store.load_record(KIND, "u1").await.unwrap(), Some(read(&first, revision)));
    let RecordSwapped::Done(next) = store.swap_record(second.clone(), revision).await.unwrap() else {
        panic!("the revision was right")
    };
    assert_eq!(store.load_record(KIND, "u1").await.unwrap(), Some(read(&second, next)));
    assert!(store.remove_record(KIND, "u1", next).await.unwrap());
    assert_eq!(store.swap_record(second, next).await.unwrap(), RecordSwapped::Gone);
    assert_eq!(store.load_record(KIND, "u1").await.unwrap(), None);
}

/// Whoever removes has seen what they remove.
pub async fn removal_needs_the_right_revision(store: Arc<dyn Store>) {
    let record = record("u1", None);
    let revision = recorded(&*store, &record).await;
    assert!(!store.remove_record(KIND, "u1", Revision(revision.0 + 1)).await.unwrap());
    assert!(!store.remove_record(RecordKind::Client, "u1", revision).await.unwrap());
    assert!(store.load_record(KIND, "u1").await.unwrap().is_some());
    assert!(store.remove_record(KIND, "u1", revision).await.unwrap());
    assert!(!store.remove_record(KIND, "u1", revision).await.unwrap());
}

/// A record that was removed and made again is not taken for the one that was read.
pub async fn a_revision_is_never_used_again(store: Arc<dyn Store>) {
    let record = record("u1", Some("alice"));
    let mut seen = Vec::new();
    for _ in 0..5 {
        let inserted = recorded(&*store, &record).await;
        let RecordSwapped::Done(swapped) = store.swap_record(record.clone(), inserted).await.unwrap() else {
            panic!("the revision was right")
        };
        for old in &seen {
            assert_eq!(store.swap_record(record.clone(), *old).await.unwrap(), RecordSwapped::Conflict);
        }
        for revision in [inserted, swapped] {
            assert!(!seen.contains(&revision));
            seen.push(revision);
        }
        assert!(store.remove_record(KIND, "u1", swapped).await.unwrap());
    }
}

/// Every record of the kind once, in bytewise order of the keys.
pub async fn pages_are_complete_and_in_order(store: Arc<dyn Store>) {
    let keys = ["B", "a", "a\0", "a\0b", "aa", "b", "Ä", "é", "\u{ffff}", "😀"];
    for key in keys.iter().rev() {
        recorded(&*store, &record(key, None)).await;
    }
    recorded(&*store, &NewRecord { kind: RecordKind::Client, ..record("stranger", None) }).await;
    for limit in [1, 3, 10, 1_000] {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = store.list_records(KIND, after.as_deref(), limit).await.unwrap();
            assert!(!page.records.is_empty() && page.records.len() <= limit as usize);
            found.extend(page.records.into_iter().map(|record| record.key));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut expected = keys.map(str::to_owned).to_vec();
        expected.sort();
        assert_eq!(found, expected, "by {limit}");
    }
    assert_eq!(store.list_records(KIND, None, 0).await.unwrap().records.len(), 1);
    let empty = store.list_records(RecordKind::App, None, 10).await.unwrap();
    assert_eq!((empty.records, empty.next), (Vec::new(), None));
}

/// A page begins after a key, whether its record is still there or never was.
pub async fn a_cursor_needs_no_record(store: Arc<dyn Store>) {
    for key in ["b", "d"] {
        recorded(&*store, &record(key, None)).await;
    }
    for (after, expected) in
        [("", vec!["b", "d"]), ("a", vec!["b", "d"]), ("b", vec!["d"]), ("c", vec!["d"]), ("e", vec![])]
    {
        let page = store.list_records(KIND, Some(after), 10).await.unwrap();
        let found: Vec<_> = page.records.iter().map(|record| record.key.as_str()).collect();
        assert_eq!(found, expected, "after {after:?}");
        assert_eq!(page.next, None);
    }
}
