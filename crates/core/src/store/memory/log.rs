//! The change log.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use misario_jose::UnixTime;

use crate::changes::{Change, Epoch, NewChange, Position};
use crate::store::LogRead;

#[derive(Debug)]
pub(super) struct Log {
    head: Position,
    /// The last entry that was pruned. Whoever stands before it has missed something.
    base: Position,
    entries: BTreeMap<u64, Change>,
    by_end: BTreeSet<(UnixTime, u64)>,
    /// The newest entry of each topic.
    topics: BTreeMap<String, u64>,
}

impl Log {
    pub(super) const fn new(epoch: Epoch) -> Self {
        let start = Position::new(epoch, 0);
        Self { head: start, base: start, entries: BTreeMap::new(), by_end: BTreeSet::new(), topics: BTreeMap::new() }
    }

    pub(super) const fn head(&self) -> Position {
        self.head
    }

    pub(super) fn append(&mut self, change: NewChange) -> Position {
        self.head = self.head.next();
        if let Some(before) = change.kind.topic().and_then(|topic| self.topics.insert(topic, self.head.sequence)) {
            self.end_at(before, change.at);
        }
        self.by_end.insert((change.until, self.head.sequence));
        self.entries.insert(self.head.sequence, change.at_position(self.head));
        self.head
    }

    /// The entry lives no longer than that.
    fn end_at(&mut self, sequence: u64, at: UnixTime) {
        let Some(change) = self.entries.get_mut(&sequence).filter(|change| at < change.until) else { return };
        self.by_end.remove(&(change.until, sequence));
        change.until = at;
        self.by_end.insert((at, sequence));
    }

    pub(super) fn read_from(&self, position: Position, limit: u32) -> LogRead {
        // In memory there is one epoch.
        if position < self.base || position > self.head || position.epoch != self.head.epoch {
            return LogRead::Gap;
        }
        let after = (Bound::Excluded(position.sequence), Bound::Unbounded);
        LogRead::Entries(self.entries.range(after).take(limit as usize).map(|(_, change)| change.clone()).collect())
    }

    pub(super) fn kept(&self) -> Vec<Change> {
        self.entries.values().cloned().collect()
    }

    pub(super) fn prune(&mut self, now: UnixTime, limit: usize) -> usize {
        let mut pruned = 0;
        while pruned < limit {
            let Some(first) = self.by_end.first().copied().filter(|(until, _)| *until < now) else {
                break;
            };
            self.by_end.remove(&first);
            if let Some(change) = self.entries.remove(&first.1) {
                self.base = self.base.max(change.position);
                pruned += 1;
            }
        }
        pruned
    }
}
