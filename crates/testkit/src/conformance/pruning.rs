//! The laws of pruning (PROTOCOL rules 15 and 16).

use std::sync::Arc;

use misario_core::app::{App, Mode, Transport};
use misario_core::changes::{ChangeKind, FenceKey, NewChange, Position};
use misario_core::store::LogRead;
use misario_jose::UnixTime;

use super::Store;
use super::log::entries;
use crate::samples::{NOW, app, appended, ended, fencing, subject};

const fn after(seconds: u64) -> UnixTime {
    NOW.saturating_add(seconds)
}

/// Whoever has not seen a pruned entry is told so; whoever has goes on.
pub async fn reading_below_the_base_is_a_gap(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    let first = appended(&*store, ended(1, after(1))).await;
    let second = appended(&*store, ended(2, after(1))).await;
    let third = appended(&*store, ended(3, after(9))).await;
    assert_eq!(store.prune(after(5), 100).await.unwrap(), 2);
    for missed in [start, first] {
        assert_eq!(store.read_from(missed, 10).await.unwrap(), LogRead::Gap);
    }
    assert_eq!(entries(&*store, second, 10).await, [ended(3, after(9)).at_position(third)]);
    assert!(entries(&*store, third, 10).await.is_empty());
}

/// An older entry that lives longer stays for those who join, and its `until` itself is still its life.
pub async fn pruning_keeps_what_lives(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    let long = appended(&*store, ended(1, after(100))).await;
    appended(&*store, ended(2, after(1))).await;
    let exact = appended(&*store, ended(3, after(5))).await;
    assert_eq!(store.prune(after(5), 100).await.unwrap(), 1);
    let (position, kept) = store.snapshot().await.unwrap();
    assert_eq!(position, exact);
    let kept: Vec<Position> = kept.iter().map(|change| change.position).collect();
    assert_eq!(kept, [long, exact]);
    // Before or after the older entry: the pruned one between them was missed.
    for missed in [start, long] {
        assert_eq!(store.read_from(missed, 10).await.unwrap(), LogRead::Gap);
    }
}

/// No more at once than was asked for, and everything in the end.
pub async fn pruning_keeps_to_its_limit(store: Arc<dyn Store>) {
    for number in 1..=3 {
        appended(&*store, ended(number, after(1))).await;
    }
    appended(&*store, fencing(FenceKey::Everything, Some(after(1)))).await;
    assert_eq!(store.prune(after(1_000), 0).await.unwrap(), 0);
    assert_eq!(store.prune(after(1_000), 2).await.unwrap(), 2);
    assert_eq!(store.prune(after(1_000), 2).await.unwrap(), 2);
    assert_eq!(store.prune(after(1_000), 2).await.unwrap(), 1);
    assert_eq!(store.prune(after(1_000), 2).await.unwrap(), 0);
}

/// A position is never given twice, also when nothing is left.
pub async fn the_head_survives_pruning(store: Arc<dyn Store>) {
    let head = appended(&*store, ended(1, after(1))).await;
    assert_eq!(store.prune(after(2), 10).await.unwrap(), 1);
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(store.snapshot().await.unwrap(), (head, Vec::new()));
    assert_eq!(appended(&*store, ended(2, after(1))).await, head.next());
    assert_eq!(entries(&*store, head, 10).await.len(), 1);
}

/// A fence that was put up again lives as long as its longest life; one without an end lives for ever.
pub async fn a_fence_lives_until_its_longest_end(store: Arc<dyn Store>) {
    let user = FenceKey::User(subject("alice"));
    let standing = async |key: &FenceKey| store.fences(std::slice::from_ref(key)).await.unwrap().fences[0].is_some();
    for until in [5, 50, 20] {
        appended(&*store, fencing(user.clone(), Some(after(until)))).await;
    }
    for until in [Some(after(5)), None] {
        appended(&*store, fencing(FenceKey::Everything, until)).await;
    }
    store.prune(after(50), 100).await.unwrap();
    assert!(standing(&user).await);
    store.prune(after(51), 100).await.unwrap();
    assert!(!standing(&user).await);
    store.prune(UnixTime::from_secs(u64::MAX), 100).await.unwrap();
    assert!(standing(&FenceKey::Everything).await);
}

/// Keys and apps are said as a whole, and for ever: of each, whoever joins needs the last word only.
pub async fn what_is_said_anew_lives_no_longer(store: Arc<dyn Store>) {
    let keys = |text: &str| ChangeKind::KeysChanged { jwks: text.to_owned() };
    let web = |mode| ChangeKind::AppChanged { app: Box::new(App::new(app("web"), mode, &[Transport::Bearer], vec![])) };
    let spa = ChangeKind::AppChanged { app: Box::new(App::new(app("spa"), Mode::Jwt, &[Transport::Bearer], vec![])) };
    let (at, forever) = (after(0), after(1 << 40));
    let said =
        async |kind: ChangeKind, at| appended(&*store, NewChange { at, until: forever, kind, fence: None }).await;
    let other = said(spa, at).await;
    let login = appended(&*store, ended(1, forever)).await;
    let mut last = login;
    for round in 0..3 {
        said(keys(&format!("{{\"keys\":[{round}]}}")), after(round)).await;
        last = said(web(if round == 1 { Mode::Jwt } else { Mode::Session }), after(round)).await;
    }
    let second = Position { sequence: last.sequence - 2, ..last };
    assert_eq!(store.prune(after(2), 100).await.unwrap(), 2, "the first of each; the second until the third was said");
    assert_eq!(store.prune(after(3), 100).await.unwrap(), 2);
    assert_eq!(store.prune(after(1_000), 100).await.unwrap(), 0);
    let (position, kept) = store.snapshot().await.unwrap();
    let kept: Vec<_> = kept.iter().map(|change| change.position).collect();
    assert_eq!((position, kept), (last, vec![other, login, Position { sequence: last.sequence - 1, ..last }, last]));
    assert_eq!(entries(&*store, second, 10).await.len(), 2, "whoever had read what was pruned goes on");
}
