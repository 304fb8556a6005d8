//! Fences.

use std::collections::{BTreeMap, HashMap};

use misario_jose::UnixTime;

use crate::changes::{Fence, FenceKey, Position};
use crate::session::Session;
use crate::store::fencing;

#[derive(Debug, Default)]
pub(super) struct Fences {
    standing: HashMap<FenceKey, Fence>,
    /// A fence whose life grew stands under its earlier end too; [`Fences::prune`] looks at the fence itself.
    by_end: BTreeMap<UnixTime, Vec<FenceKey>>,
}

impl Fences {
    pub(super) fn raise(&mut self, key: FenceKey, fence: Fence) {
        let old = self.find(&key);
        let raised = fencing::raised(old, fence);
        if let Some(until) = raised.until.filter(|_| old.is_none_or(|old| old.until != raised.until)) {
            self.by_end.entry(until).or_default().push(key.clone());
        }
        self.standing.insert(key, raised);
    }

    pub(super) fn find(&self, key: &FenceKey) -> Option<Fence> {
        self.standing.get(key).copied()
    }

    /// The latest cut-off of the fences that end `session`.
    pub(super) fn revoked_before(&self, session: &Session) -> Option<Position> {
        fencing::ending(session).iter().filter_map(|key| self.find(key)).map(|fence| fence.before).max()
    }

    pub(super) fn refuse(&self, session: &Session) -> bool {
        self.revoked_before(session).is_some_and(|before| fencing::refuses(before, session.issued))
    }

    pub(super) fn prune(&mut self, now: UnixTime, limit: usize) -> usize {
        let mut pruned = 0;
        while pruned < limit {
            let Some(mut ended) = self.by_end.first_entry().filter(|ended| *ended.key() < now) else {
                break;
            };
            let until = *ended.key();
            let Some(key) = ended.get_mut().pop() else {
                ended.remove();
                continue;
            };
            if self.standing.get(&key).is_some_and(|fence| fence.until == Some(until)) {
                self.standing.remove(&key);
                pruned += 1;
            }
        }
        pruned
    }
}
