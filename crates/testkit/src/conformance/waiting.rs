//! The laws of waiting for the log to move.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use misario_core::changes::{Epoch, Position};

use super::Store;
use crate::samples::{NOW, appended, ended};

/// How long a wake-up may take before it counts as missed.
const DEADLINE: Duration = Duration::from_secs(20);

/// A position that is not the head, whichever way, is answered at once.
pub async fn who_is_behind_does_not_wait(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    let head = appended(&*store, ended(1, NOW)).await;
    for position in [start, Position::ZERO, head.next(), Position::new(Epoch(head.epoch.0 + 1), 0)] {
        tokio::time::timeout(DEADLINE, store.wait_beyond(position)).await.expect("nothing to wait for").unwrap();
    }
}

/// One append ends every wait.
pub async fn everybody_who_waits_is_woken(store: Arc<dyn Store>) {
    let head = store.head().await.unwrap();
    let mut waits = tokio::task::JoinSet::new();
    let (waiting, mut all_wait) = tokio::sync::mpsc::channel(1);
    for _ in 0..50 {
        let (store, waiting) = (Arc::clone(&store), waiting.clone());
        waits.spawn(async move {
            let mut wait = store.wait_beyond(head);
            let first = std::future::poll_fn(|context| Poll::Ready(wait.as_mut().poll(context).is_pending())).await;
            assert!(first, "there is nothing beyond the head");
            waiting.send(()).await.unwrap();
            wait.await.unwrap();
        });
    }
    for _ in 0..50 {
        all_wait.recv().await.unwrap();
    }
    appended(&*store, ended(1, NOW)).await;
    tokio::time::timeout(DEADLINE, waits.join_all()).await.expect("somebody was not woken");
}

/// Dropped after its first poll, a wait leaves nothing behind that stops others.
pub async fn a_wait_that_was_given_up_disturbs_nobody(store: Arc<dyn Store>) {
    let head = store.head().await.unwrap();
    for _ in 0..10 {
        let mut wait = pin!(store.wait_beyond(head));
        assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let wait = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.wait_beyond(head).await }
    });
    appended(&*store, ended(1, NOW)).await;
    tokio::time::timeout(DEADLINE, wait).await.expect("the wait ends").unwrap().unwrap();
}

/// A follower that reads and then waits sees every entry, however the append falls between the two.
pub async fn no_wake_up_is_missed(store: Arc<dyn Store>) {
    const ENTRIES: u64 = 500;
    let start = store.head().await.unwrap();
    let follower = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let (mut seen, mut waits) = (start, 0_u64);
            while seen.sequence < start.sequence + ENTRIES {
                let woken = tokio::time::timeout(DEADLINE, store.wait_beyond(seen)).await;
                woken.expect("a wake-up was missed").unwrap();
                let read = super::log::entries(&*store, seen, 1).await;
                seen = read.last().map_or(seen, |change| change.position);
                waits += 1;
                assert!(waits < 100 * ENTRIES, "waiting is no waiting if it always ends at once");
            }
        }
    });
    for number in 0..ENTRIES {
        appended(&*store, ended(number, NOW)).await;
        tokio::task::yield_now().await;
    }
    follower.await.unwrap();
}
