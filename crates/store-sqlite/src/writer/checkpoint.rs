//! Moving the write-ahead log into the file, between commits and not within them: no write waits for it that came
//! before.

use rusqlite::Connection;

use super::Writer;
use crate::failure::Failure;

/// A checkpoint is due after this many commits: about 4 MiB of log.
const COMMITS: usize = 256;

/// Or after this many writes, when many share a commit.
const WRITES: usize = 1024;

/// When the log has this many pages (64 MiB), readers are made to wait until it could be emptied.
const MANY_PAGES: i64 = 16 * 1024;

/// What happened since the last checkpoint.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    commits: usize,
    writes: usize,
}

impl Checkpoints {
    pub(super) const fn count(&mut self, writes: usize) {
        self.commits += 1;
        self.writes += writes;
    }

    /// A checkpoint, if one is due. It never loses anything: what it cannot move stays in the log.
    pub(super) fn when_due(&mut self, writer: &Writer) -> Result<(), Failure> {
        if self.commits < COMMITS && self.writes < WRITES {
            return Ok(());
        }
        *self = Self::default();
        writer.tally.checkpoints.add(1);
        let pages = checkpoint(&writer.connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        if pages > MANY_PAGES {
            everything(&writer.connection)?;
        }
        Ok(())
    }
}

/// Empties the log, after waiting for readers that still need it.
pub(super) fn everything(connection: &Connection) -> Result<(), Failure> {
    checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)").map(|_| ())
}

/// How many pages the log had.
fn checkpoint(connection: &Connection, statement: &str) -> Result<i64, Failure> {
    Ok(connection.prepare_cached(statement)?.query_row([], |row| row.get(1))?)
}
