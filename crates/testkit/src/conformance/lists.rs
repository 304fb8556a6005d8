//! The laws of lists and of sweeping.

use std::sync::Arc;

use misario_core::id::SessionId;
use misario_core::session::Session;
use misario_core::store::{Cursor, SessionFilter, Swapped};

use super::Store;
use crate::samples::{NOW, app, inserted, loaded, session, session_of, sid, subject};

/// All pages of a list, as the handles on each.
async fn pages(store: &dyn Store, filter: SessionFilter, limit: u32) -> Vec<Vec<SessionId>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(filter.clone(), after, limit).await.unwrap();
        pages.push(page.sessions.iter().map(|(session, _)| session.sid).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

/// Every session once, ordered by handle, as it is stored.
pub async fn pages_are_complete_and_in_order(store: Arc<dyn Store>) {
    for number in [5, 1, 9, 3, 7, 2] {
        inserted(&*store, &session(number)).await;
    }
    assert_eq!(
        pages(&*store, SessionFilter::All, 4).await,
        [vec![sid(1), sid(2), sid(3), sid(5)], vec![sid(7), sid(9)],]
    );
    let page = store.list(SessionFilter::All, None, 1).await.unwrap();
    let found = loaded(&*store, &sid(1)).await;
    assert_eq!(page.sessions, [(found.session, found.revision)]);
}

/// Each filter selects by the whole name.
pub async fn a_filter_selects_exactly(store: Arc<dyn Store>) {
    for (number, owner, app) in
        [(1, "alice", "web"), (2, "alice", "spa"), (3, "bob", "web"), (4, "alicia", "web"), (5, "alice", "web")]
    {
        inserted(&*store, &session_of(number, owner, app)).await;
    }
    let alice = subject("alice");
    for (filter, expected) in [
        (SessionFilter::All, vec![1, 2, 3, 4, 5]),
        (SessionFilter::Of(alice.clone()), vec![1, 2, 5]),
        (SessionFilter::OfIn(alice, app("web")), vec![1, 5]),
        (SessionFilter::OfIn(subject("bob"), app("spa")), vec![]),
        (SessionFilter::In(app("web")), vec![1, 3, 4, 5]),
        (SessionFilter::In(app("we")), vec![]),
        (SessionFilter::Of(subject("alic")), vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(sid).collect();
        for limit in [1, 2, 3, 100] {
            assert_eq!(pages(&*store, filter.clone(), limit).await.concat(), expected, "{filter:?} by {limit}");
        }
    }
}

/// A page has at least one and at most 1,000 places, whatever is asked for.
pub async fn limits_are_kept(store: Arc<dyn Store>) {
    let mut inserts = tokio::task::JoinSet::new();
    for number in 0..1_001 {
        let store = Arc::clone(&store);
        inserts.spawn(async move { inserted(&*store, &session(number)).await });
    }
    inserts.join_all().await;
    for (limit, expected) in [(0, 1), (1, 1), (1_000, 1_000), (1_001, 1_000), (u32::MAX, 1_000)] {
        let page = store.list(SessionFilter::All, None, limit).await.unwrap();
        assert_eq!(page.sessions.len(), expected, "{limit}");
        assert!(page.next.is_some());
    }
}

/// A page that is full to the last place is the last if nothing follows.
pub async fn the_last_page_says_so(store: Arc<dyn Store>) {
    assert_eq!(pages(&*store, SessionFilter::All, 2).await, [vec![]]);
    for number in 1..=4 {
        inserted(&*store, &session(number)).await;
    }
    assert_eq!(pages(&*store, SessionFilter::All, 2).await, [vec![sid(1), sid(2)], vec![sid(3), sid(4)]]);
    let end = Cursor(SessionId::from_bytes([0xff; 16]));
    for filter in [SessionFilter::All, SessionFilter::Of(subject("alice")), SessionFilter::In(app("web"))] {
        let page = store.list(filter, Some(end), 2).await.unwrap();
        assert_eq!((page.sessions, page.next), (Vec::new(), None));
    }
}

/// What is there from the first page to the last is seen exactly once, whatever happens around it.
pub async fn a_cursor_holds_while_sessions_come_and_go(store: Arc<dyn Store>) {
    for number in [10, 20, 30, 40, 50] {
        inserted(&*store, &session(number)).await;
    }
    let first = store.list(SessionFilter::All, None, 2).await.unwrap();
    // The session the cursor points at goes, one comes before it, one after it, one of the next page goes.
    store.remove(&sid(20)).await.unwrap();
    inserted(&*store, &session(15)).await;
    inserted(&*store, &session(35)).await;
    store.remove(&sid(40)).await.unwrap();
    let second = store.list(SessionFilter::All, first.next, 100).await.unwrap();
    let seen: Vec<_> = second.sessions.iter().map(|(session, _)| session.sid).collect();
    assert_eq!(seen, [sid(30), sid(35), sid(50)]);
    assert_eq!(second.next, None);
}

/// A swap that changes what a list goes by moves the session.
pub async fn a_session_moves_with_its_owner(store: Arc<dyn Store>) {
    let revision = inserted(&*store, &session_of(1, "alice", "web")).await;
    let moved = session_of(1, "bob", "spa");
    assert!(matches!(store.swap(&moved, revision).await.unwrap(), Swapped::Done(_)));
    for filter in [SessionFilter::Of(subject("alice")), SessionFilter::In(app("web"))] {
        assert_eq!(pages(&*store, filter, 10).await, [vec![]]);
    }
    for filter in [SessionFilter::Of(subject("bob")), SessionFilter::In(app("spa"))] {
        assert_eq!(pages(&*store, filter, 10).await, [vec![sid(1)]]);
    }
}

/// By either deadline, not a second early, and no more than was asked for.
pub async fn sweeping_removes_what_ended_before(store: Arc<dyn Store>) {
    let idle = |number, idle| Session { idle, ..session(number) };
    let until = |number, by| Session { login_exp: NOW.saturating_add(by), idle: 5_000, ..session(number) };
    for session in [idle(1, 99), idle(2, 100), until(3, 99), until(4, 100), until(5, 20)] {
        inserted(&*store, &session).await;
    }
    let limit = NOW.saturating_add(100);
    assert_eq!(store.sweep_sessions(limit, 0).await.unwrap(), 0);
    assert_eq!(store.sweep_sessions(limit, 1).await.unwrap(), 1);
    assert_eq!(pages(&*store, SessionFilter::All, 9).await.concat().len(), 4);
    assert_eq!(store.sweep_sessions(limit, 100).await.unwrap(), 2);
    assert_eq!(store.sweep_sessions(limit, 100).await.unwrap(), 0);
    assert_eq!(pages(&*store, SessionFilter::All, 9).await, [vec![sid(2), sid(4)]]);
}

/// A session that was used again is not swept by its earlier deadline.
pub async fn sweeping_looks_at_the_session_as_it_is(store: Arc<dyn Store>) {
    let unused = Session { idle: 60, ..session(1) };
    let revision = inserted(&*store, &unused).await;
    let used = Session { last_seen: NOW.saturating_add(50), ..unused };
    assert!(matches!(store.swap(&used, revision).await.unwrap(), Swapped::Done(_)));
    assert_eq!(store.sweep_sessions(NOW.saturating_add(100), 10).await.unwrap(), 0);
    assert_eq!(store.sweep_sessions(NOW.saturating_add(111), 10).await.unwrap(), 1);
    assert_eq!(store.load(&sid(1)).await.unwrap(), None);
}
