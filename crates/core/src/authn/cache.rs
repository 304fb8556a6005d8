//! Credentials that were found good, by a keyed MAC of their whole text.
//!
//! The key is drawn per process, so nobody can make two texts collide, and no part of a token is ever the key (a cache
//! keyed by a part accepts a forged rest). An entry is good until its deadline or until a change that concerns it is
//! applied, which throws it out under the same lock that shows the change: so a hit consults no set of revocations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use misario_jose::mac::MacKey;

use super::facts::Facts;

/// The name of an entry.
pub(super) type CacheKey = [u8; 16];

/// Facts by credential, bounded in bytes.
pub(super) struct FactsCache {
    secret: MacKey,
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<CacheKey, Arc<Facts>>,
    bytes: usize,
}

impl FactsCache {
    pub(super) fn new(secret: &[u8; 32], limit: usize) -> Self {
        Self { secret: MacKey::new(secret), limit, inner: Mutex::default() }
    }

    /// The name of a credential for an app: the same text for another app is another entry.
    pub(super) fn key(&self, app: &str, text: &str) -> CacheKey {
        let tag = self.secret.tag(&[app.as_bytes(), text.as_bytes()]);
        let mut key = CacheKey::default();
        key.copy_from_slice(&tag[..16]);
        key
    }

    pub(super) fn find(&self, key: &CacheKey) -> Option<Arc<Facts>> {
        self.lock().entries.get(key).cloned()
    }

    pub(super) fn insert(&self, key: CacheKey, facts: Arc<Facts>) {
        let size = size_of_entry(&facts);
        let mut inner = self.lock();
        // Full: begin again. Everything in it can be had once more, and no bookkeeping burdens the hits.
        if inner.bytes + size > self.limit {
            inner.entries.clear();
            inner.bytes = 0;
        }
        if inner.entries.insert(key, facts).is_none() {
            inner.bytes += size;
        }
    }

    pub(super) fn remove(&self, key: &CacheKey) {
        let mut inner = self.lock();
        if let Some(facts) = inner.entries.remove(key) {
            inner.bytes = inner.bytes.saturating_sub(size_of_entry(&facts));
        }
    }

    /// Throws out what `is_concerned` says.
    pub(super) fn evict(&self, is_concerned: impl Fn(&Facts) -> bool) {
        let mut inner = self.lock();
        inner.entries.retain(|_, facts| !is_concerned(facts));
        inner.bytes = inner.entries.values().map(|facts| size_of_entry(facts)).sum();
    }

    pub(super) fn clear(&self) {
        *self.lock() = Inner::default();
    }

    /// A panic elsewhere cannot leave an entry half written: every entry is inserted whole.
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size_of_entry(facts: &Facts) -> usize {
    let lists = [&facts.roles, &facts.permissions, &facts.scopes, &facts.amr];
    let texts: usize = lists.iter().flat_map(|list| list.iter()).map(|text| text.len() + size_of::<String>()).sum();
    size_of::<(CacheKey, Facts)>() + facts.subject.as_str().len() + texts + 128
}
