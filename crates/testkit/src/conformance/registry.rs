//! The laws of the registry of replicas (PROTOCOL rules 5, 8, 10 and 11).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use misario_core::changes::Position;
use misario_core::store::Renewal;

use super::Store;
use crate::samples::{NOW, appended, ended, renewal, replica};

/// A renewal is a registration too, and its answer is the head.
pub async fn a_renewal_registers_and_names_the_head(store: Arc<dyn Store>) {
    assert!(store.replicas().await.unwrap().is_empty());
    let head = store.head().await.unwrap();
    assert_eq!(store.renew(renewal(1, head)).await.unwrap(), head);
    let next = appended(&*store, ended(1, NOW)).await;
    assert_eq!(store.renew(renewal(2, head)).await.unwrap(), next);
    let registry = store.replicas().await.unwrap();
    let read: Vec<_> = registry.iter().map(|entry| (entry.id, entry.applied, entry.ttl)).collect();
    assert_eq!(read, [1, 2].map(|number| (replica(number), head, Duration::from_secs(2))));
}

/// "Unchanged" can be told from "renewed with the same values".
pub async fn every_renewal_raises_the_counter(store: Arc<dyn Store>) {
    let head = store.head().await.unwrap();
    let mut last = None;
    for _ in 0..5 {
        store.renew(renewal(1, head)).await.unwrap();
        let [entry] = store.replicas().await.unwrap()[..] else { panic!("one replica, one entry") };
        assert!(Some(entry.counter) > last);
        last = Some(entry.counter);
    }
    let next = appended(&*store, ended(1, NOW)).await;
    store.renew(renewal(1, next)).await.unwrap();
    assert_eq!(store.replicas().await.unwrap()[0].applied, next);
}

/// A shorter lease does not hide the longer one that is still in force.
pub async fn the_longest_lease_counts(store: Arc<dyn Store>) {
    let head = store.head().await.unwrap();
    for (granted, counts) in [(2, 2), (9, 9), (1, 9)] {
        let ttl = Duration::from_secs(granted);
        store.renew(Renewal { ttl, ..renewal(1, head) }).await.unwrap();
        assert_eq!(store.replicas().await.unwrap()[0].ttl, Duration::from_secs(counts));
    }
}

/// The answer to an append names who may still answer from memory.
pub async fn an_append_reads_the_registry(store: Arc<dyn Store>) {
    let head = store.head().await.unwrap();
    assert!(store.append(ended(1, NOW)).await.unwrap().registry.is_empty());
    for number in [3, 1, 2] {
        store.renew(renewal(number, head)).await.unwrap();
    }
    let registry = store.replicas().await.unwrap();
    assert_eq!(registry.len(), 3);
    assert_eq!(store.append(ended(2, NOW)).await.unwrap().registry, registry);
}

/// Nobody removes an entry that was renewed after they looked, or that left and came back.
pub async fn leaving_needs_the_right_counter(store: Arc<dyn Store>) {
    let head = store.head().await.unwrap();
    assert!(!store.leave(replica(1), 1).await.unwrap());
    store.renew(renewal(1, head)).await.unwrap();
    let looked = store.replicas().await.unwrap()[0].counter;
    store.renew(renewal(1, head)).await.unwrap();
    assert!(!store.leave(replica(1), looked).await.unwrap());
    let counter = store.replicas().await.unwrap()[0].counter;
    assert!(!store.leave(replica(2), counter).await.unwrap());
    assert!(store.leave(replica(1), counter).await.unwrap());
    assert!(store.replicas().await.unwrap().is_empty());

    store.renew(renewal(1, head)).await.unwrap();
    assert!(!store.leave(replica(1), looked).await.unwrap());
    assert!(!store.leave(replica(1), counter).await.unwrap());
    assert_eq!(store.replicas().await.unwrap().len(), 1);
}

/// Either the barrier knows of the lease, or the lease knows of the change: one of the two, for every append and every
/// renewal that were under way together.
pub async fn an_append_and_a_renewal_see_each_other(store: Arc<dyn Store>) {
    /// How often renewals of each replica have to come between two appends.
    const RACES: u64 = 200;
    let over = Arc::new(AtomicBool::new(false));
    let counts = [1, 2].map(|_| Arc::new(AtomicU64::new(0)));
    let renewers: Vec<_> = (1..)
        .zip(&counts)
        .map(|(number, count)| {
            tokio::spawn(renew_until(Arc::clone(&over), Arc::clone(count), Arc::clone(&store), number))
        })
        .collect();
    let mut appends = Vec::new();
    let (mut seen, mut races) = ([0; 2], [0; 2]);
    while races.iter().any(|races| *races < RACES) {
        appends.push(store.append(ended(1, NOW)).await.unwrap());
        tokio::task::yield_now().await;
        for ((count, seen), races) in counts.iter().zip(&mut seen).zip(&mut races) {
            let before = std::mem::replace(seen, count.load(Ordering::Relaxed));
            *races += u64::from(*seen != before);
        }
    }
    over.store(true, Ordering::Relaxed);

    for (number, renewer) in (1..).zip(renewers) {
        let heads = renewer.await.unwrap();
        assert!(heads.is_sorted());
        for append in &appends {
            // The renewals that were told of no head as late as the append; the entry has to be that of the last or later.
            let unaware = heads.partition_point(|head| *head < append.position) as u64;
            let entry = append.registry.iter().find(|entry| entry.id == replica(number));
            let waited_for = entry.map_or(0, |entry| entry.applied.sequence);
            assert!(waited_for >= unaware, "an append and a renewal passed each other unseen");
        }
    }
}

/// The heads that the renewals of one replica were told. The n-th says that it has applied n, so that an entry tells
/// which renewal it is from.
async fn renew_until(over: Arc<AtomicBool>, count: Arc<AtomicU64>, store: Arc<dyn Store>, number: u8) -> Vec<Position> {
    let epoch = store.head().await.unwrap().epoch;
    let mut heads = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let applied = Position::new(epoch, heads.len() as u64 + 1);
        heads.push(store.renew(renewal(number, applied)).await.unwrap());
        count.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
    heads
}
