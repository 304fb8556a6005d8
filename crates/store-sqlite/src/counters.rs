//! What the store did so far, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Write verbs that were carried out and committed.
    pub writes: u64,
    /// Transactions that were committed; several writes share one when they come at the same time.
    pub commits: u64,
    /// Read verbs that were answered.
    pub reads: u64,
    /// Verbs that ended in an error of the store.
    pub failures: u64,
    /// Times that the write-ahead log was copied into the file.
    pub checkpoints: u64,
}

/// The counters while they count.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) writes: Count,
    pub(crate) commits: Count,
    pub(crate) reads: Count,
    pub(crate) failures: Count,
    pub(crate) checkpoints: Count,
}

impl Tally {
    pub(crate) fn read(&self) -> Counters {
        Counters {
            writes: self.writes.read(),
            commits: self.commits.read(),
            reads: self.reads.read(),
            failures: self.failures.read(),
            checkpoints: self.checkpoints.read(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
