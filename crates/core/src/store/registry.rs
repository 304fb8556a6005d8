//! The registry of replicas, for stores that only one process has: it lives and dies with that process's memory, so a
//! heartbeat costs no write.

use std::collections::BTreeMap;

use super::{RegistryEntry, Renewal};
use crate::id::ReplicaId;

/// Who holds leases, as far as they were granted through this store.
///
/// Whoever keeps one has to make [`Registry::renew`] atomic with reading the head, and [`Registry::entries`] with
/// making an append visible (PROTOCOL rule 8).
#[derive(Debug, Default)]
pub struct Registry {
    entries: BTreeMap<ReplicaId, RegistryEntry>,
    renewals: u64,
}

impl Registry {
    /// Registers the replica, or renews its entry.
    pub fn renew(&mut self, renewal: Renewal) {
        // One count for all entries: a replica that left and came back is never mistaken for its earlier entry.
        self.renewals += 1;
        let entry =
            RegistryEntry { id: renewal.id, applied: renewal.applied, ttl: renewal.ttl, counter: self.renewals };
        self.entries
            .entry(renewal.id)
            .and_modify(|known| {
                // A lease that was granted for longer may still be in force (PROTOCOL rule 11).
                let ttl = known.ttl.max(entry.ttl);
                *known = RegistryEntry { ttl, ..entry };
            })
            .or_insert(entry);
    }

    /// The entries, in the order of their ids.
    pub fn entries(&self) -> Vec<RegistryEntry> {
        self.entries.values().copied().collect()
    }

    /// Removes the entry, if nobody renewed it since its counter was read.
    pub fn leave(&mut self, id: ReplicaId, counter: u64) -> bool {
        let unchanged = self.entries.get(&id).is_some_and(|entry| entry.counter == counter);
        unchanged && self.entries.remove(&id).is_some()
    }
}
