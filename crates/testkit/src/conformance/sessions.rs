//! The laws of a single session.

use std::sync::Arc;

use misario_core::changes::FenceKey;
use misario_core::session::SessionState;
use misario_core::store::{Inserted, Revision, Swapped};

use super::Store;
use crate::samples::{NOW, appended, ended, inserted, loaded, session, sid, subject, touched};

/// What was put in comes out, with the revision that was named; nothing else is there.
pub async fn an_inserted_session_is_loaded_as_it_was(store: Arc<dyn Store>) {
    let session = session(1);
    let revision = inserted(&*store, &session).await;
    let found = loaded(&*store, &sid(1)).await;
    assert_eq!(found.session, session);
    assert_eq!(found.revision, revision);
    assert_eq!((found.revoked_before, found.stale_before), (None, None));
    assert!(!found.is_fenced() && !found.is_stale());
    assert_eq!(store.load(&sid(2)).await.unwrap(), None);
}

/// A handle that is taken stays with its first session.
pub async fn insert_only_creates(store: Arc<dyn Store>) {
    let first = session(1);
    let revision = inserted(&*store, &first).await;
    let second = misario_core::session::Session { subject: subject("mallory"), ..session(1) };
    assert_eq!(store.insert(&second).await.unwrap(), Inserted::Exists);
    let found = loaded(&*store, &sid(1)).await;
    assert_eq!((found.session, found.revision), (first, revision));
}

/// A swap from any other revision changes nothing; from the right one it makes another.
pub async fn swap_changes_only_what_it_was_shown(store: Arc<dyn Store>) {
    let first = session(1);
    let revision = inserted(&*store, &first).await;
    let second = touched(&first);
    for wrong in [Revision(revision.0 + 1), Revision(0), Revision(u64::MAX)] {
        assert_eq!(store.swap(&second, wrong).await.unwrap(), Swapped::Conflict);
    }
    assert_eq!(loaded(&*store, &sid(1)).await.session, first);

    let Swapped::Done(next) = store.swap(&second, revision).await.unwrap() else { panic!("the revision was right") };
    assert_ne!(next, revision);
    let found = loaded(&*store, &sid(1)).await;
    assert_eq!((found.session, found.revision), (second, next));
    assert_eq!(store.swap(&first, revision).await.unwrap(), Swapped::Conflict);
}

/// No late save brings a session back.
pub async fn what_was_removed_stays_removed(store: Arc<dyn Store>) {
    let session = session(1);
    let revision = inserted(&*store, &session).await;
    assert!(store.remove(&sid(1)).await.unwrap());
    assert!(!store.remove(&sid(1)).await.unwrap());
    assert_eq!(store.swap(&touched(&session), revision).await.unwrap(), Swapped::Gone);
    assert_eq!(store.load(&sid(1)).await.unwrap(), None);
}

/// A session that was removed and made again is not taken for the one that was read.
pub async fn a_revision_is_never_used_again(store: Arc<dyn Store>) {
    let session = session(1);
    let mut seen = vec![inserted(&*store, &session).await];
    for _ in 0..5 {
        store.remove(&sid(1)).await.unwrap();
        let again = inserted(&*store, &session).await;
        for old in &seen {
            assert_eq!(store.swap(&touched(&session), *old).await.unwrap(), Swapped::Conflict);
        }
        assert!(!seen.contains(&again));
        seen.push(again);
    }
}

/// Whether a session counts is for the reader to say.
pub async fn expiry_is_not_judged(store: Arc<dyn Store>) {
    let mut session = session(1);
    session.login_exp = misario_jose::UnixTime::from_secs(1);
    session.last_seen = misario_jose::UnixTime::from_secs(0);
    let revision = inserted(&*store, &session).await;
    let found = loaded(&*store, &sid(1)).await;
    assert_eq!(found.session.state(NOW), SessionState::Ended);
    assert!(matches!(store.swap(&session, revision).await.unwrap(), Swapped::Done(_)));
    store.prune(NOW, 100).await.unwrap();
    assert!(store.load(&sid(1)).await.unwrap().is_some());
}

/// A load is as new as the log position it names.
pub async fn a_reading_names_the_head(store: Arc<dyn Store>) {
    inserted(&*store, &session(1)).await;
    assert_eq!(loaded(&*store, &sid(1)).await.as_of, store.head().await.unwrap());
    let position = appended(&*store, ended(5, NOW)).await;
    assert_eq!(loaded(&*store, &sid(1)).await.as_of, position);
    assert_eq!(store.fences(&[FenceKey::Everything]).await.unwrap().as_of, position);
}
