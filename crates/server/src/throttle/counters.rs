//! Counters of failures by key, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use misario_core::changes::MonoTime;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// A counter that was not moved for so long counts for nothing.
const FORGET: Duration = Duration::from_hours(1);
/// Counters in one generation.
const GENERATION: usize = 50_000;

/// What a kind of counter allows.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    /// Failures that cost nothing yet.
    pub(super) free: u32,
    /// How long it takes until one failure is forgiven; `None`: only a success or [`FORGET`] helps.
    pub(super) forgives_every: Option<Duration>,
}

/// The failures of one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter {
    failures: u32,
    last: MonoTime,
    /// Up to when failures were forgiven.
    forgiven_to: MonoTime,
}

impl Counter {
    /// No failure yet.
    pub(super) const fn new(now: MonoTime) -> Self {
        Self { failures: 0, last: now, forgiven_to: now }
    }

    /// When the last failure was.
    pub(super) const fn last(self) -> MonoTime {
        self.last
    }

    /// What time has left of it.
    pub(super) fn aged(self, limit: Limit, now: MonoTime) -> Self {
        if now.since(self.last) >= FORGET {
            return Self::new(now);
        }
        let Some(every) = limit.forgives_every else { return self };
        // Whole steps, and the rest stays to be counted: else frequent attempts would never be forgiven.
        let steps = u32::try_from(now.since(self.forgiven_to).as_secs() / every.as_secs().max(1)).unwrap_or(u32::MAX);
        let forgiven_to = self.forgiven_to.plus(every.saturating_mul(steps));
        Self { failures: self.failures.saturating_sub(steps), forgiven_to, ..self }
    }

    /// One failure more.
    pub(super) const fn with_failure(self, now: MonoTime) -> Self {
        Self { failures: self.failures.saturating_add(1), last: now, ..self }
    }

    /// How long the next attempt has to wait.
    pub(super) fn wait(self, limit: Limit, now: MonoTime) -> Option<Duration> {
        let beyond = self.failures.checked_sub(limit.free)?;
        let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(LONGEST_WAIT);
        wait.checked_sub(now.since(self.last)).filter(|left| !left.is_zero())
    }
}

/// Counters in two generations. When the young one is full, it becomes the old one, and what was old and was not moved
/// meanwhile is gone. So memory is bounded and nothing is ever searched through, while whoever is being attacked stays
/// counted: to push out one counter takes as many attempts on others as a generation holds.
pub(super) struct Counters<K> {
    young: HashMap<K, Counter>,
    old: HashMap<K, Counter>,
}

impl<K> Default for Counters<K> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Eq + Hash> Counters<K> {
    pub(super) fn get(&self, key: &K) -> Option<Counter> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    pub(super) fn put(&mut self, key: K, counter: Counter) {
        self.old.remove(&key);
        if self.young.len() >= GENERATION && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, counter);
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Takes back the failure of an attempt made `at`, before which the counter was last moved at `before`. Where
    /// another attempt came since, its time stays.
    pub(super) fn take_back(&mut self, key: &K, at: MonoTime, before: MonoTime) {
        let known = self.young.get_mut(key).or_else(|| self.old.get_mut(key));
        let Some(counter) = known else { return };
        counter.failures = counter.failures.saturating_sub(1);
        if counter.last == at {
            counter.last = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_what_is_moved_stays() {
        let now = MonoTime::from_millis(0);
        let mut counters = Counters::default();
        let attacked = usize::MAX;
        for stranger in 0..5 * GENERATION {
            if stranger % (GENERATION / 2) == 0 {
                let counter = counters.get(&attacked).unwrap_or(Counter::new(now));
                counters.put(attacked, counter.with_failure(now));
            }
            counters.put(stranger, Counter::new(now).with_failure(now));
            assert!(counters.young.len() <= GENERATION && counters.old.len() <= GENERATION);
        }
        assert_eq!(counters.get(&attacked).map(|counter| counter.failures), Some(10));
    }
}
