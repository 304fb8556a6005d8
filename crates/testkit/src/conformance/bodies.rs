//! What may be in what is stored, and how much of it.

use std::sync::Arc;

use misario_core::changes::{Fence, FenceKey};
use misario_core::session::Session;
use misario_core::store::limits::{MAX_BODY, MAX_KEY};
use misario_core::store::{NewRecord, RecordKind, StoreError, Swapped};
use misario_jose::UnixTime;

use super::Store;
use crate::samples::{
    appended, change, ended, fencing, inserted, loaded, read, record, recorded, session, sid, subject,
};

/// Text that something on the way might change.
const TEXTS: [&str; 9] = [
    "",
    "nul \0 in the middle",
    "\0",
    "quote ' and \" and `",
    "'; DROP TABLE sessions; --",
    "e\u{301} is not \u{e9}",
    "\u{202e}right to left, \u{feff}BOM, \u{fffd}",
    "😀 \u{10ffff}",
    "line\r\nline\ttab %s {} \\u0000 ?1",
];

/// Whatever the text.
pub async fn any_text_comes_back(store: Arc<dyn Store>) {
    for (text, number) in TEXTS.iter().zip(0..) {
        let new =
            NewRecord { key: format!("k{text}"), body: (*text).to_owned(), ..record("", Some(&format!("a{text}"))) };
        let expected = Some(read(&new, recorded(&*store, &new).await));
        assert_eq!(store.load_record(RecordKind::User, &new.key).await.unwrap(), expected);
        assert_eq!(store.load_by_alias(RecordKind::User, &format!("a{text}")).await.unwrap(), expected);

        let session = Session {
            data: Some(serde_json::json!({ *text: text })),
            org: Some((*text).to_owned()),
            ..session(number)
        };
        inserted(&*store, &session).await;
        assert_eq!(loaded(&*store, &sid(number)).await.session, session);
    }
}

/// A session whose JSON has exactly `size` octets.
fn session_of_size(size: usize) -> Session {
    let sized = |data: String| Session { data: Some(serde_json::Value::String(data)), ..session(1) };
    let empty = serde_json::to_string(&sized(String::new())).unwrap().len();
    sized("x".repeat(size - empty))
}

/// 64 KiB to the last octet, and keys and aliases of 255.
pub async fn the_largest_body_is_taken(store: Arc<dyn Store>) {
    let longest = "ü".repeat(MAX_KEY / 2) + "k";
    let new = NewRecord { body: "x".repeat(MAX_BODY), ..record(&longest, Some(&longest)) };
    let expected = Some(read(&new, recorded(&*store, &new).await));
    assert_eq!(store.load_by_alias(RecordKind::User, &longest).await.unwrap(), expected);

    let largest = session_of_size(MAX_BODY);
    let revision = inserted(&*store, &largest).await;
    assert_eq!(loaded(&*store, &sid(1)).await.session, largest);
    assert!(matches!(store.swap(&largest, revision).await.unwrap(), Swapped::Done(_)));
}

/// One octet more is refused by every verb, and nothing changes.
pub async fn what_is_too_large_is_refused(store: Arc<dyn Store>) {
    fn too_large<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
        assert!(matches!(answer, Err(StoreError::TooLarge { .. })), "{answer:?}");
    }
    let small = record("u1", Some("alice"));
    let at = recorded(&*store, &small).await;
    let long = "k".repeat(MAX_KEY + 1);
    for huge in [
        NewRecord { body: "x".repeat(MAX_BODY + 1), ..small.clone() },
        NewRecord { alias: Some(long.clone()), ..small.clone() },
        record(&long, None),
    ] {
        too_large(&store.insert_record(huge.clone()).await);
        too_large(&store.swap_record(huge, at).await);
    }
    assert_eq!(store.load_record(RecordKind::User, "u1").await.unwrap(), Some(read(&small, at)));

    let huge = session_of_size(MAX_BODY + 1);
    too_large(&store.insert(&huge).await);
    assert_eq!(store.load(&sid(1)).await.unwrap(), None);
    let revision = inserted(&*store, &session(1)).await;
    too_large(&store.swap(&huge, revision).await);
    assert_eq!(loaded(&*store, &sid(1)).await.session, session(1));
}

/// "Never" is a time like any other.
pub async fn times_without_end_come_back(store: Arc<dyn Store>) {
    let never = UnixTime::from_secs(u64::MAX);
    let endless = Session { login_exp: never, idle: u64::MAX, last_seen: never, ..session(1) };
    inserted(&*store, &endless).await;
    assert_eq!(loaded(&*store, &sid(1)).await.session, endless);
    assert_eq!(store.sweep_sessions(never, 10).await.unwrap(), 0);

    let kind = ended(1, never).kind;
    let position = appended(&*store, change(kind.clone(), never)).await;
    let key = FenceKey::User(subject("alice"));
    let before = appended(&*store, fencing(key.clone(), Some(never))).await;
    store.prune(never, 10).await.unwrap();
    let (_, kept) = store.snapshot().await.unwrap();
    assert_eq!(kept.first(), Some(&change(kind, never).at_position(position)));
    assert_eq!(store.fences(&[key]).await.unwrap().fences, [Some(Fence { before, until: Some(never) })]);
}
