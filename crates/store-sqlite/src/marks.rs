//! Where the store stands: the log's head and base, and the last revision. One row, so that the head survives the
//! pruning of its entry and a revision the removal of its record.

use misario_core::changes::{Epoch, Position};
use misario_core::store::Revision;
use rusqlite::Connection;

use crate::cell;
use crate::failure::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// The last entry.
    pub(crate) head: Position,
    /// The last entry that was pruned.
    pub(crate) base: Position,
    /// What the next entry has at least. Not in the file: each opening has its own.
    epoch: Epoch,
    revision: u64,
}

impl Marks {
    pub(crate) fn read(connection: &Connection) -> Result<Self, Failure> {
        let mut statement = connection.prepare_cached("SELECT epoch, head, base_epoch, base, revision FROM marks")?;
        let columns: [i64; 5] =
            statement.query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]))?;
        let [epoch, head, base_epoch, base, revision] = columns;
        let head = cell::to_position(epoch, head)?;
        Ok(Self {
            head,
            base: cell::to_position(base_epoch, base)?,
            epoch: head.epoch,
            revision: cell::to_u64(revision)?,
        })
    }

    /// Begins an epoch: the given one, or the one after the last entry's, whichever is later. A file that was put back to
    /// an earlier state may have given positions in the epochs that it has forgotten.
    pub(crate) fn begin(&mut self, epoch: Epoch) {
        self.epoch = epoch.max(Epoch(self.head.epoch.0.saturating_add(1)));
    }

    /// The place of the next entry.
    pub(crate) const fn next(&self) -> Position {
        self.head.next_in(self.epoch)
    }

    pub(crate) fn write(&self, connection: &Connection) -> Result<(), Failure> {
        let mut statement = connection
            .prepare_cached("UPDATE marks SET epoch = ?1, head = ?2, base_epoch = ?3, base = ?4, revision = ?5")?;
        let epoch = |position: Position| u64::from(position.epoch.0);
        let Self { head, base, revision, .. } = *self;
        let columns = [epoch(head), head.sequence, epoch(base), base.sequence, revision].map(cell::from_u64);
        match statement.execute(columns)? {
            1 => Ok(()),
            _ => Err(rusqlite::Error::QueryReturnedNoRows.into()),
        }
    }

    /// A revision that nothing ever had.
    pub(crate) const fn next_revision(&mut self) -> Revision {
        self.revision += 1;
        Revision(self.revision)
    }
}
