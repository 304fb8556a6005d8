//! Before when something had to be issued to be concerned.

use misario_jose::UnixTime;

use crate::changes::{Change, Position};

/// What was issued before this is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CutOff {
    /// The position that a credential's own is compared with.
    pub(super) before: Position,
    /// It may be forgotten after this.
    pub(super) until: UnixTime,
}

impl CutOff {
    pub(super) fn of(change: &Change) -> Self {
        Self { before: change.cut_off(), until: change.until }
    }

    /// Whether something issued at this position was issued before. What carries the cut-off itself was issued after:
    /// its position was read before it was decided on (PROTOCOL rule 22), when the change was in the log already.
    pub(super) fn concerns(&self, issued: Position) -> bool {
        issued < self.before
    }

    /// An entry that is appended again with its original cut-off (rule 30) must not lower a later one.
    pub(super) fn merge(&mut self, other: Self) {
        self.before = self.before.max(other.before);
        self.until = self.until.max(other.until);
    }

    /// Whether anything could still be alive that it concerns (rule 16: `until` has all slack in it already).
    pub(super) fn is_live(&self, now: UnixTime) -> bool {
        self.until >= now
    }
}
