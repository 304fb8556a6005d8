//! Where the store stands: the log's head and base, and the last revision. One row, so that the head survives the
//! pruning of its entry and a revision the removal of its record.

use misario_core::changes::Position;
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
    revision: u64,
}

impl Marks {
    pub(crate) fn read(connection: &Connection) -> Result<Self, Failure> {
        let mut statement = connection.prepare_cached("SELECT epoch, head, base, revision FROM marks")?;
        let columns: [i64; 4] =
            statement.query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
        let [epoch, head, base, revision] = columns;
        Ok(Self {
            head: cell::to_position(epoch, head)?,
            base: cell::to_position(epoch, base)?,
            revision: cell::to_u64(revision)?,
        })
    }

    pub(crate) fn write(&self, connection: &Connection) -> Result<(), Failure> {
        let mut statement = connection.prepare_cached("UPDATE marks SET head = ?1, base = ?2, revision = ?3")?;
        let columns = [self.head.sequence, self.base.sequence, self.revision].map(cell::from_u64);
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
