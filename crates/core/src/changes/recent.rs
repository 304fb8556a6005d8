//! The changes that were applied last.

use std::collections::VecDeque;

use super::{Change, ChangeKind, Position};

/// How many changes are remembered. A load that takes longer than it takes so many to happen is not cached.
const REMEMBERED: usize = 1_024;

/// The last changes, to tell whether one of them raced a load (PROTOCOL rule 21).
#[derive(Debug)]
pub(super) struct Recent {
    changes: VecDeque<Change>,
    /// Every change after this one is remembered.
    since: Position,
}

impl Recent {
    /// Nothing was applied after `position` yet.
    pub(super) const fn new(position: Position) -> Self {
        Self { changes: VecDeque::new(), since: position }
    }

    pub(super) fn push(&mut self, change: &Change) {
        if self.changes.len() == REMEMBERED {
            self.since = self.changes.pop_front().map_or(change.position, |oldest| oldest.position);
        }
        let kind = match &change.kind {
            // A set of keys concerns what it concerns whatever is in it, and may be large.
            ChangeKind::KeysChanged { .. } => ChangeKind::KeysChanged { jwks: String::new() },
            kind => kind.clone(),
        };
        self.changes.push_back(Change { kind, ..*change });
    }

    /// Whether it is certain that none of the changes after `position` is of the kind asked for.
    pub(super) fn none_since(&self, position: Position, is_of_kind: impl Fn(&Change) -> bool) -> bool {
        let later = self.changes.iter().rev().take_while(|change| change.position > position);
        position >= self.since && !later.into_iter().any(is_of_kind)
    }
}
