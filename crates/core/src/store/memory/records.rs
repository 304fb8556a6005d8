//! Records.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{MemoryStore, Revisions};
use crate::store::{
    NewRecord, Record, RecordInserted, RecordKind, RecordPage, RecordStore, RecordSwapped, Revision, StoreFuture,
    limits,
};

#[derive(Debug, Default)]
pub(super) struct Records {
    kinds: BTreeMap<RecordKind, Kind>,
}

/// The records of one kind.
#[derive(Debug, Default)]
struct Kind {
    by_key: BTreeMap<String, Record>,
    keys_by_alias: BTreeMap<String, String>,
}

impl Kind {
    /// Whether `alias` stands for another record than that of `key`.
    fn is_taken(&self, alias: Option<&String>, key: &str) -> bool {
        alias.and_then(|alias| self.keys_by_alias.get(alias)).is_some_and(|holder| holder != key)
    }

    fn put(&mut self, new: NewRecord, revision: Revision) {
        if let Some(alias) = new.alias.clone() {
            self.keys_by_alias.insert(alias, new.key.clone());
        }
        let record = Record { key: new.key.clone(), alias: new.alias, body: new.body, revision };
        self.by_key.insert(new.key, record);
    }

    fn take(&mut self, key: &str) -> bool {
        let taken = self.by_key.remove(key);
        if let Some(alias) = taken.as_ref().and_then(|record| record.alias.as_ref()) {
            self.keys_by_alias.remove(alias);
        }
        taken.is_some()
    }
}

impl Records {
    fn insert(&mut self, new: NewRecord, revisions: &mut Revisions) -> RecordInserted {
        let kind = self.kinds.entry(new.kind).or_default();
        if kind.by_key.contains_key(&new.key) || kind.is_taken(new.alias.as_ref(), &new.key) {
            return RecordInserted::Exists;
        }
        let revision = revisions.next();
        kind.put(new, revision);
        RecordInserted::Done(revision)
    }

    fn swap(&mut self, new: NewRecord, expected: Revision, revisions: &mut Revisions) -> RecordSwapped {
        let kind = self.kinds.entry(new.kind).or_default();
        let Some(old) = kind.by_key.get(&new.key) else {
            return RecordSwapped::Gone;
        };
        if old.revision != expected || kind.is_taken(new.alias.as_ref(), &new.key) {
            return RecordSwapped::Conflict;
        }
        let revision = revisions.next();
        kind.take(&new.key);
        kind.put(new, revision);
        RecordSwapped::Done(revision)
    }

    fn remove(&mut self, kind: RecordKind, key: &str, expected: Revision) -> bool {
        let kind = self.kinds.entry(kind).or_default();
        kind.by_key.get(key).is_some_and(|record| record.revision == expected) && kind.take(key)
    }

    fn find(&self, kind: RecordKind, key: &str) -> Option<Record> {
        self.kinds.get(&kind)?.by_key.get(key).cloned()
    }

    fn find_by_alias(&self, kind: RecordKind, alias: &str) -> Option<Record> {
        let kind = self.kinds.get(&kind)?;
        kind.by_key.get(kind.keys_by_alias.get(alias)?).cloned()
    }

    fn page(&self, kind: RecordKind, after: Option<&str>, limit: usize) -> RecordPage {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self.kinds.get(&kind).map(|kind| kind.by_key.range::<str, _>((from, Bound::Unbounded)));
        let mut records: Vec<Record> =
            found.into_iter().flatten().map(|(_, record)| record.clone()).take(limit + 1).collect();
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| record.key.clone());
        RecordPage { records, next }
    }
}

impl RecordStore for MemoryStore {
    fn insert_record(&self, record: NewRecord) -> StoreFuture<'_, RecordInserted> {
        Box::pin(async move {
            limits::check_record(&record)?;
            let state = &mut *self.state();
            Ok(state.records.insert(record, &mut state.revisions))
        })
    }

    fn load_record<'a>(&'a self, kind: RecordKind, key: &'a str) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move { Ok(self.state().records.find(kind, key)) })
    }

    fn load_by_alias<'a>(&'a self, kind: RecordKind, alias: &'a str) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move { Ok(self.state().records.find_by_alias(kind, alias)) })
    }

    fn swap_record(&self, record: NewRecord, expected: Revision) -> StoreFuture<'_, RecordSwapped> {
        Box::pin(async move {
            limits::check_record(&record)?;
            let state = &mut *self.state();
            Ok(state.records.swap(record, expected, &mut state.revisions))
        })
    }

    fn remove_record<'a>(&'a self, kind: RecordKind, key: &'a str, expected: Revision) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(self.state().records.remove(kind, key, expected)) })
    }

    fn list_records<'a>(&'a self, kind: RecordKind, after: Option<&'a str>, limit: u32) -> StoreFuture<'a, RecordPage> {
        Box::pin(async move { Ok(self.state().records.page(kind, after, limits::page_size(limit) as usize)) })
    }
}
