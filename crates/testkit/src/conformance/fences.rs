//! The laws of fences (PROTOCOL rule 23).

use std::sync::Arc;

use misario_core::changes::{Fence, FenceKey};
use misario_core::id::ClientId;
use misario_core::session::Session;
use misario_core::store::{Inserted, Swapped};

use super::Store;
use crate::samples::{
    NOW, app, appended, ending, fenced, fencing, inserted, loaded, session, session_of, sid, subject, touched,
};

/// Who was signed in before the revocation is refused, who signs in after it is not; for each fence.
pub async fn insert_is_refused_behind_each_fence(store: Arc<dyn Store>) {
    for key in ending() {
        let late = Session { issued: store.head().await.unwrap(), ..session(1) };
        let cut_off = fenced(&*store, key.clone()).await;
        assert_eq!(store.insert(&late).await.unwrap(), Inserted::Fenced, "{key}");
        assert_eq!(store.load(&sid(1)).await.unwrap(), None, "{key}");

        let later = Session { issued: cut_off, ..session(1) };
        inserted(&*store, &later).await;
        assert!(!loaded(&*store, &sid(1)).await.is_fenced(), "{key}");
        store.remove(&sid(1)).await.unwrap();
    }
}

/// A session that a revocation ended is not saved again, and what is stored stays as it was.
pub async fn swap_is_refused_behind_each_fence(store: Arc<dyn Store>) {
    for key in ending() {
        let session = Session { issued: store.head().await.unwrap(), ..session(1) };
        let revision = inserted(&*store, &session).await;
        let cut_off = fenced(&*store, key.clone()).await;
        assert_eq!(store.swap(&touched(&session), revision).await.unwrap(), Swapped::Fenced, "{key}");

        let found = loaded(&*store, &sid(1)).await;
        assert_eq!((&found.session, found.revision), (&session, revision), "{key}");
        assert_eq!(found.revoked_before, Some(cut_off), "{key}");
        assert!(found.is_fenced(), "{key}");
        store.remove(&sid(1)).await.unwrap();
    }
}

/// Other users, other apps, other logins, clients and changed roles end nothing here.
pub async fn a_fence_concerns_nobody_else(store: Arc<dyn Store>) {
    let revision = inserted(&*store, &session(1)).await;
    for key in [
        FenceKey::Login(sid(2)),
        FenceKey::User(subject("alic")),
        FenceKey::User(subject("ALICE")),
        FenceKey::App(app("web-2")),
        FenceKey::Client(ClientId::new("web").unwrap()),
        FenceKey::Stale(subject("alice")),
    ] {
        fenced(&*store, key).await;
    }
    let found = loaded(&*store, &sid(1)).await;
    assert_eq!(found.revoked_before, None);
    assert!(matches!(store.swap(&touched(&session(1)), revision).await.unwrap(), Swapped::Done(_)));
    inserted(&*store, &session(3)).await;
}

/// A caller that is fenced off learns that first, whatever else stands against it.
pub async fn a_fence_comes_before_every_other_answer(store: Arc<dyn Store>) {
    let session = session(1);
    let revision = inserted(&*store, &session).await;
    fenced(&*store, FenceKey::Everything).await;
    assert_eq!(store.insert(&session).await.unwrap(), Inserted::Fenced);
    store.remove(&sid(1)).await.unwrap();
    assert_eq!(store.swap(&session, revision).await.unwrap(), Swapped::Fenced);
}

/// Of several fences the latest is named, and staleness apart from the end.
pub async fn loading_names_the_latest_cut_off(store: Arc<dyn Store>) {
    inserted(&*store, &session(1)).await;
    for key in ending() {
        let cut_off = fenced(&*store, key).await;
        assert_eq!(loaded(&*store, &sid(1)).await.revoked_before, Some(cut_off));
    }
    let revoked = loaded(&*store, &sid(1)).await.revoked_before;
    let stale = fenced(&*store, FenceKey::Stale(subject("alice"))).await;
    let found = loaded(&*store, &sid(1)).await;
    assert_eq!((found.revoked_before, found.stale_before), (revoked, Some(stale)));
    assert!(found.is_stale());

    let fresh = session_of(4, "bob", "spa");
    let fresh = Session { issued: stale, grant_at: stale, ..fresh };
    inserted(&*store, &fresh).await;
    let found = loaded(&*store, &sid(4)).await;
    assert!(!found.is_stale() && !found.is_fenced());
}

/// Putting a fence up again raises it.
pub async fn a_fence_is_never_lowered(store: Arc<dyn Store>) {
    let key = FenceKey::User(subject("alice"));
    let soon = NOW.saturating_add(10);
    let late = NOW.saturating_add(99);
    let mut last = None;
    for (put_up, stands) in
        [(Some(soon), Some(soon)), (Some(late), Some(late)), (Some(soon), Some(late)), (None, None), (Some(soon), None)]
    {
        let before = appended(&*store, fencing(key.clone(), put_up)).await;
        let read = store.fences(std::slice::from_ref(&key)).await.unwrap().fences;
        assert_eq!(read, [Some(Fence { before, until: stands })]);
        assert!(last < Some(before));
        last = Some(before);
    }
}

/// The entry is pruned, the login that it ended stays ended.
pub async fn a_fence_outlives_its_entry(store: Arc<dyn Store>) {
    let cut_off = fenced(&*store, FenceKey::User(subject("alice"))).await;
    assert_eq!(store.prune(NOW.saturating_add(100_000), 100).await.unwrap(), 1);
    assert!(store.snapshot().await.unwrap().1.is_empty());
    assert_eq!(store.insert(&session(1)).await.unwrap(), Inserted::Fenced);
    let read = store.fences(&[FenceKey::User(subject("alice"))]).await.unwrap().fences;
    assert_eq!(read, [Some(Fence { before: cut_off, until: None })]);
}

/// Clean-up after a logout opens no door for a request that was on its way.
pub async fn a_removed_and_fenced_session_cannot_be_made_again(store: Arc<dyn Store>) {
    inserted(&*store, &session(1)).await;
    fenced(&*store, FenceKey::Login(sid(1))).await;
    assert!(store.remove(&sid(1)).await.unwrap());
    assert_eq!(store.insert(&session(1)).await.unwrap(), Inserted::Fenced);
    assert_eq!(store.load(&sid(1)).await.unwrap(), None);
}

/// One answer per key, `None` where there is no fence.
pub async fn fences_are_read_in_the_order_asked_for(store: Arc<dyn Store>) {
    let client = FenceKey::Client(ClientId::new("robot").unwrap());
    let stale = FenceKey::Stale(subject("alice"));
    let client_at = fenced(&*store, client.clone()).await;
    let stale_at = fenced(&*store, stale.clone()).await;
    let asked = [stale.clone(), FenceKey::Everything, client, stale];
    let read = store.fences(&asked).await.unwrap();
    assert_eq!(read.as_of, stale_at);
    let cut_offs: Vec<_> = read.fences.iter().map(|fence| fence.map(|fence| fence.before)).collect();
    assert_eq!(cut_offs, [Some(stale_at), None, Some(client_at), Some(stale_at)]);
    assert!(store.fences(&[]).await.unwrap().fences.is_empty());
}
