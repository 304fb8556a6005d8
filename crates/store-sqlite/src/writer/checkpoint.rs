//! Moving the write-ahead log into the file, between commits and not within them: no write waits for it that came
//! before.

use std::time::Duration;

use rusqlite::Connection;

use super::Writer;
use crate::failure::Failure;
use crate::open;

/// A checkpoint is due after this many commits: about 4 MiB of log.
const COMMITS: usize = 256;

/// Or after this many writes, when many share a commit.
const WRITES: usize = 1024;

/// When the log has this many pages (64 MiB), it is emptied as soon as nobody reads it.
const MANY_PAGES: i64 = 16 * 1024;

/// How long emptying the log waits for who still reads it. No write is carried out meanwhile, so it is far less than a
/// caller's patience: the log can wait for the next time, and grows until then.
const PATIENCE: Duration = Duration::from_millis(50);

/// What happened since the last checkpoint.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    commits: usize,
    writes: usize,
    /// The log's size when it was last said that it cannot be emptied, in pages.
    told: i64,
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
        (self.commits, self.writes) = (0, 0);
        writer.tally.checkpoints.add(1);
        let pages = checkpoint(&writer.connection, "PRAGMA wal_checkpoint(PASSIVE)")?.pages;
        if pages <= MANY_PAGES || everything(&writer.connection)? {
            self.told = 0;
        } else if pages >= 2 * self.told {
            self.told = pages;
            let path = writer.path.display();
            tracing::warn!(%path, pages, "somebody reads the store without end; its log grows until they stop");
        }
        Ok(())
    }
}

/// Empties the log, after waiting a little for who still needs it; whether it is empty.
pub(super) fn everything(connection: &Connection) -> Result<bool, Failure> {
    connection.busy_timeout(PATIENCE)?;
    let done = checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
    connection.busy_timeout(open::PATIENCE)?;
    Ok(!done?.busy)
}

/// What came of a checkpoint.
struct Checkpoint {
    /// Somebody was in the way.
    busy: bool,
    /// How many pages the log had.
    pages: i64,
}

fn checkpoint(connection: &Connection, statement: &str) -> Result<Checkpoint, Failure> {
    let mut statement = connection.prepare_cached(statement)?;
    Ok(statement.query_row([], |row| Ok(Checkpoint { busy: row.get(0)?, pages: row.get(1)? }))?)
}
