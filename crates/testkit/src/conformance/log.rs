//! The laws of the change log.

use std::collections::BTreeSet;
use std::sync::Arc;

use misario_core::changes::{Change, ChangeKind, Epoch, Position};
use misario_core::store::{LogRead, StoreError};

use super::Store;
use crate::samples::{NOW, appended, change, ended, kinds};

/// The entries of a reading that must not be a gap.
pub(super) async fn entries(store: &dyn Store, after: Position, limit: u32) -> Vec<Change> {
    match store.read_from(after, limit).await.unwrap() {
        LogRead::Entries(entries) => entries,
        LogRead::Gap => panic!("no entry after {after} was pruned"),
    }
}

/// Sequence 0 of an epoch that is not the zero of [`Position::ZERO`]; nothing follows it.
pub async fn an_empty_log_has_a_head(store: Arc<dyn Store>) {
    let head = store.head().await.unwrap();
    assert_eq!(head.sequence, 0);
    assert!(head.epoch > Epoch(0));
    assert!(entries(&*store, head, 10).await.is_empty());
    assert_eq!(store.snapshot().await.unwrap(), (head, Vec::new()));
}

/// Every kind of change, in order, with its times.
pub async fn entries_come_back_as_they_were_appended(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    let mut expected = Vec::new();
    for (kind, number) in kinds().into_iter().zip(1..) {
        let new = change(kind, NOW.saturating_add(number));
        let position = appended(&*store, new.clone()).await;
        assert_eq!(position, Position::new(start.epoch, start.sequence + number));
        expected.push(new.at_position(position));
    }
    assert_eq!(entries(&*store, start, 100).await, expected);
    assert_eq!(store.snapshot().await.unwrap(), (store.head().await.unwrap(), expected.clone()));
    assert_eq!(entries(&*store, expected[2].position, 100).await, expected[3..]);
}

/// Many appends at once take the places one after another, each one place.
pub async fn positions_are_gap_free_under_concurrency(store: Arc<dyn Store>) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 50;
    let start = store.head().await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let mut taken = Vec::new();
            for number in 0..EACH {
                let number = writer * EACH + number;
                taken.push((appended(&*store, ended(number, NOW)).await, number));
            }
            assert!(taken.is_sorted(), "an append that began after another has a later place");
            taken
        });
    }
    let taken: BTreeSet<_> = writers.join_all().await.into_iter().flatten().collect();
    let expected: Vec<_> = (1..=WRITERS * EACH).map(|n| Position::new(start.epoch, start.sequence + n)).collect();
    assert_eq!(taken.iter().map(|(position, _)| *position).collect::<Vec<_>>(), expected);
    let read = entries(&*store, start, 1_000).await;
    let as_taken: Vec<_> = taken.iter().map(|(at, number)| ended(*number, NOW).at_position(*at)).collect();
    assert_eq!(read, as_taken);
}

/// A reading goes on where the one before ended.
pub async fn reading_keeps_to_the_limit(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    for number in 1..=5 {
        appended(&*store, ended(number, NOW)).await;
    }
    let first = entries(&*store, start, 2).await;
    let second = entries(&*store, first[1].position, 2).await;
    let third = entries(&*store, second[1].position, 2).await;
    assert_eq!([first.len(), second.len(), third.len()], [2, 2, 1]);
    assert_eq!(entries(&*store, start, 5).await, [first, second, third].concat());
}

/// Another epoch, or more than this log ever had: whoever stands there has to start again.
pub async fn a_position_of_no_known_past_is_a_gap(store: Arc<dyn Store>) {
    let head = appended(&*store, ended(1, NOW)).await;
    for stranger in [
        Position::ZERO,
        head.next(),
        Position::new(head.epoch, u64::MAX),
        Position::new(Epoch(head.epoch.0 + 1), 0),
        Position::new(Epoch(0), head.sequence),
    ] {
        assert_eq!(store.read_from(stranger, 10).await.unwrap(), LogRead::Gap, "{stranger}");
    }
}

/// Also while entries are appended.
pub async fn a_snapshot_is_complete_to_its_position(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 1..=200 {
                appended(&*store, ended(number, NOW)).await;
            }
        }
    });
    loop {
        let over = writer.is_finished();
        let (position, kept) = store.snapshot().await.unwrap();
        let positions: Vec<_> = kept.iter().map(|change| change.position.sequence).collect();
        let expected: Vec<_> = (start.sequence + 1..=position.sequence).collect();
        assert_eq!(positions, expected);
        if over {
            assert_eq!(expected.len(), 200);
            break;
        }
    }
    writer.await.unwrap();
}

/// What no replica could take is not appended.
pub async fn a_change_too_large_is_refused(store: Arc<dyn Store>) {
    let head = store.head().await.unwrap();
    let huge = ChangeKind::KeysChanged { jwks: "x".repeat(misario_core::changes::codec::MAX_CHANGE) };
    let refused = store.append(change(huge, NOW)).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { what: "change", .. })), "{refused:?}");
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(appended(&*store, ended(1, NOW)).await, head.next());
}
