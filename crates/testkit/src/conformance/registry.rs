//! The laws of the registry of replicas (PROTOCOL rules 5, 8, 10 and 11).

use std::sync::Arc;
use std::time::Duration;

use misario_core::id::ReplicaId;
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

/// Either the barrier knows of the lease, or the lease knows of the change: one of the two, in every race.
pub async fn an_append_and_a_renewal_see_each_other(store: Arc<dyn Store>) {
    let start = store.head().await.unwrap();
    let mut races = tokio::task::JoinSet::new();
    for round in 0..500_u64 {
        let id = {
            let mut octets = [0xee; 16];
            octets[..8].copy_from_slice(&round.to_be_bytes());
            ReplicaId::from_bytes(octets)
        };
        let append = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.append(ended(round, NOW)).await.unwrap() }
        });
        let renew = tokio::spawn({
            let store = Arc::clone(&store);
            async move { store.renew(Renewal { id, ..renewal(0, start) }).await.unwrap() }
        });
        races.spawn(async move {
            let (append, head) = (append.await.unwrap(), renew.await.unwrap());
            let waited_for = append.registry.iter().any(|entry| entry.id == id);
            assert!(waited_for || head >= append.position, "append and renewal passed each other unseen");
        });
    }
    races.join_all().await;
}
