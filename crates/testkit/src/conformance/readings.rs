//! What readings say while others write (PROTOCOL rules 15, 20 and 23).

use std::sync::Arc;

use misario_core::changes::{FenceKey, Position};
use misario_core::session::Session;
use misario_core::store::{LogRead, Swapped};

use super::Store;
use crate::samples::{NOW, appended, ended, fencing, inserted, loaded, session, sid, subject};

/// How many changes are made while others read.
const CHANGES: u64 = 300;

fn stale() -> FenceKey {
    FenceKey::Stale(subject("alice"))
}

/// A task that saves the session for the n-th time, with n in it, and appends the n-th entry, which raises the fence.
async fn change_and_append(store: Arc<dyn Store>) {
    let mut revision = inserted(&*store, &session(1)).await;
    for idle in 1..=CHANGES {
        match store.swap(&Session { idle, ..session(1) }, revision).await.unwrap() {
            Swapped::Done(next) => revision = next,
            other => panic!("nobody else saves it: {other:?}"),
        }
        appended(&*store, fencing(stale(), None)).await;
    }
}

/// A reading is at least as new as the position it names: the value of the change that was appended there is in it, and
/// so is the fence.
pub async fn a_reading_is_as_new_as_the_position_it_names(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    let writer = tokio::spawn(change_and_append(Arc::clone(&store)));
    loop {
        let over = writer.is_finished();
        if let Some(found) = store.load(&sid(1)).await.unwrap() {
            let changes = found.as_of.sequence - start.sequence;
            let saves = if found.session.idle == session(1).idle { 0 } else { found.session.idle };
            assert!(saves >= changes, "{saves} saves at {}", found.as_of);
            assert!(found.stale_before.unwrap_or(start) >= found.as_of, "{:?} at {}", found.stale_before, found.as_of);
        }
        let read = store.fences(&[stale()]).await.unwrap();
        let before = read.fences[0].map_or(start, |fence| fence.before);
        assert!(before >= read.as_of, "{before} at {}", read.as_of);
        if over {
            break;
        }
    }
    writer.await.unwrap();
    assert_eq!(loaded(&*store, &sid(1)).await.as_of.sequence, start.sequence + CHANGES);
}

/// Whoever sees the entry sees its fence, and whoever sees the fence sees its entry.
pub async fn an_entry_and_its_fence_are_seen_together(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    let fence = async || store.fences(&[stale()]).await.unwrap().fences[0].map_or(start, |fence| fence.before);
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for _ in 0..CHANGES {
                appended(&*store, fencing(stale(), None)).await;
            }
        }
    });
    let mut seen = start;
    loop {
        let over = writer.is_finished();
        if let LogRead::Entries(entries) = store.read_from(seen, 10).await.unwrap() {
            seen = entries.last().map_or(seen, |change| change.position);
        }
        assert!(fence().await >= seen, "the entry at {seen} is there without its fence");
        let before = fence().await;
        let (position, kept) = store.snapshot().await.unwrap();
        let has_entry = before == start || kept.iter().any(|change| change.position == before);
        assert!(position >= before && has_entry, "the fence at {before} is there without its entry");
        if over {
            break;
        }
    }
    writer.await.unwrap();
    assert_eq!(fence().await.sequence, start.sequence + CHANGES);
}

/// While entries are appended and pruned, a follower gets the entries after its position without a hole, or the word
/// that something is missing.
pub async fn reading_beside_a_pruner_is_a_gap_or_contiguous(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    // Short and long lives by turns, so that what is pruned lies between what stays.
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 0..CHANGES {
                let lives = if number % 3 == 0 { 1_000_000 } else { number };
                appended(&*store, ended(number, NOW.saturating_add(lives))).await;
            }
        }
    });
    let pruner = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut pruned = 0;
            for now in 0..=CHANGES {
                pruned += store.prune(NOW.saturating_add(now), 2).await.unwrap();
                tokio::task::yield_now().await;
            }
            pruned
        }
    });
    loop {
        let over = writer.is_finished() && pruner.is_finished();
        // From everywhere: behind what was pruned, before it, and in between.
        let head = store.head().await.unwrap();
        for sequence in start.sequence..=head.sequence {
            follow(&*store, Position { sequence, ..start }, head).await;
        }
        if over {
            break;
        }
    }
    writer.await.unwrap();
    let mut pruned = u64::from(pruner.await.unwrap());
    pruned += u64::from(store.prune(NOW.saturating_add(CHANGES), 1_000).await.unwrap());
    assert_eq!(pruned, CHANGES * 2 / 3);
    assert_eq!(store.read_from(start, 10).await.unwrap(), LogRead::Gap);
}

/// Reads a few entries on: one after another, and all up to `head` if there are fewer than that.
async fn follow(store: &dyn Store, stand: Position, head: Position) {
    const FEW: u32 = 3;

    if let LogRead::Entries(entries) = store.read_from(stand, FEW).await.unwrap() {
        let read: Vec<u64> = entries.iter().map(|change| change.position.sequence).collect();
        let expected: Vec<u64> = (stand.sequence + 1..).take(read.len()).collect();
        assert_eq!(read, expected, "there is a hole after {stand}");
        let end = entries.last().map_or(stand, |change| change.position);
        assert!(read.len() == FEW as usize || end >= head, "nothing is said of what lies between {end} and {head}");
    }
}
