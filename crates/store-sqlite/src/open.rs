//! Opening: files, lock, version, settings, threads.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use misario_core::store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;

use crate::counters::Tally;
use crate::failure::Failure;
use crate::files::Files;
use crate::lock::ProcessLock;
use crate::marks::Marks;
use crate::schema::Migrated;
use crate::standing::Standing;
use crate::store::{Options, Parts};
use crate::writer::Writer;
use crate::{readers, schema, writer};

/// A file that was left open is looked through if it is not larger than this. SQLite recovers from a crash by itself;
/// this finds what a failing disk did, and costs about a tenth of a second at most. In a larger file damage is found
/// when it is read.
const CHECKED_BYTES: i64 = 64 * 1024 * 1024;

/// How long to wait for a lock of SQLite's own, which only a stranger's tool can hold: longer than any caller waits, so
/// that the first write after it is not lost to it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How many prepared statements a connection keeps: more than there are.
const STATEMENTS: usize = 64;

pub(crate) fn open(path: &Path, options: &Options) -> Result<Parts, StoreError> {
    let opened = open_files(path, options);
    if let Err(error) = &opened {
        tracing::error!(path = %path.display(), code = error.code(), ?error, "the store could not be opened");
    }
    opened
}

fn open_files(path: &Path, options: &Options) -> Result<Parts, StoreError> {
    let as_store_error = |failure: Failure| failure.to_store_error();
    // The lock comes first: nothing of a store that somebody else has is touched.
    let (lock, files) = ProcessLock::take(path)?;
    start(&files, options, Arc::new(lock)).map_err(as_store_error)
}

fn start(files: &Files, options: &Options, lock: Arc<ProcessLock>) -> Result<Parts, Failure> {
    let left_open = files.were_left_open();
    // Before anything is made or changed, and with nothing that could: another program's file stays as it is. What was
    // left open may have its first page in the log, which takes SQLite to read.
    if !left_open {
        schema::check_header(&files.header()?)?;
    }
    let readers = (0..options.readers.max(1)).map(|_| for_reading(&files.database));
    let readers = readers.collect::<Result<Vec<_>, _>>()?;
    if let Some(reader) = readers.first().filter(|_| left_open) {
        schema::check(reader)?;
    }
    lock.name("")?;
    files.sync_name()?;
    files.close_to_others()?;
    let mut connection = connect(&files.database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if !lock.is_of(&files.database)? {
        return Err(Failure::from(std::io::Error::other("another file was put in the place of the store")));
    }
    // Before the first write, which the journal mode is: a later version's file stays as it is, too.
    schema::check(&connection)?;
    for_writing(&connection, options)?;
    if left_open {
        look_through(&connection, &files.database)?;
    }
    let is_new = schema::migrate(&mut connection, options.epoch)? == Migrated::Made;
    let mut marks = Marks::read(&connection)?;
    if !is_new {
        marks.begin(options.epoch);
    }

    let held = Arc::downgrade(&lock);
    let standing = Arc::new(Standing::at(marks.head));
    let tally = Arc::new(Tally::default());
    let (reads, read_queue) = mpsc::channel(readers::QUEUE);
    let (writes, write_queue) = mpsc::channel(writer::QUEUE);
    let for_thread = Writer {
        connection,
        marks,
        standing: Arc::clone(&standing),
        tally: Arc::clone(&tally),
        path: files.database.clone(),
        readers: readers::start(readers, read_queue)?,
        lock,
    };
    let thread = writer::start(for_thread, write_queue)?;
    Ok(Parts { reads, writes, thread, standing, tally, lock: held })
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, Failure> {
    // No URI file names: a path is a path. No mutex: every connection stays on its own thread.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(PATIENCE)?;
    // What is in the file is data: nothing in its schema runs with side effects, and no statement can damage it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Sorted rows stay in memory instead of in files with a mode of their own.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

fn for_reading(path: &Path) -> Result<Connection, Failure> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn for_writing(connection: &Connection, options: &Options) -> Result<(), Failure> {
    let journal: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if journal != "wal" {
        return Err(Failure::from(std::io::Error::other("this file system cannot hold a write-ahead log")));
    }
    // FULL syncs the log at every commit; NORMAL would lose acknowledged writes with the power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    // Freed space is overwritten.
    connection.pragma_update(None, "secure_delete", true)?;
    // The writer makes its checkpoints between commits.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    if let Some(bytes) = options.max_bytes {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?;
    }
    Ok(())
}

fn look_through(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let size = number("page_count")?.saturating_mul(number("page_size")?);
    let checked = size <= CHECKED_BYTES;
    tracing::warn!(path = %path.display(), size, checked, "the store was not closed; going on from its log");
    if !checked {
        return Ok(());
    }
    let finding: String = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if finding == "ok" { Ok(()) } else { Err(Failure::damaged("file", finding)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing else would notice that acknowledged writes are lost with the power.
    #[test]
    fn the_writing_connection_syncs_at_every_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("misario.db");
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
        for_writing(&connection, &Options::default()).unwrap();
        let text = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, String>(0)).unwrap();
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(text("journal_mode"), "wal");
        assert_eq!(number("synchronous"), 2, "FULL");
        assert_eq!(number("wal_autocheckpoint"), 0, "checkpoints are the writer's");
        for on in ["fullfsync", "checkpoint_fullfsync", "secure_delete"] {
            assert_eq!(number(on), 1, "{on}");
        }
    }
}
