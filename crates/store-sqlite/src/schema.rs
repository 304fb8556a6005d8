//! The tables, and how files of earlier versions get them.
//!
//! The version is SQLite's `user_version`: it is in the file's header, so that a later version is recognised whatever
//! it did to the tables, and it changes in the transaction that changes them.

use misario_core::changes::Epoch;
use rusqlite::{Connection, TransactionBehavior};

use crate::failure::Failure;

/// Marks the file as ours: "misa".
const APPLICATION: i32 = 0x6d69_7361;

/// One step per version; a step that was released never changes.
const STEPS: [&str; KNOWN as usize] = [include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The newest version known here.
const KNOWN: u32 = 2;

/// What became of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Migrated {
    /// It was empty, and has its tables now.
    Made,
    /// It had some.
    Found,
}

/// Brings the file to the newest version. A file of a later version, or of another program, is left as it is.
pub(crate) fn migrate(connection: &mut Connection, epoch: Epoch) -> Result<Migrated, Failure> {
    let found = check(connection)?;
    if found == KNOWN {
        return Ok(Migrated::Found);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in &STEPS[found as usize..] {
        transaction.execute_batch(step)?;
    }
    if found == 0 {
        transaction.execute(
            "INSERT INTO marks (only, epoch, head, base_epoch, base, revision) VALUES (1, ?1, 0, ?1, 0, 0)",
            [epoch.0],
        )?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    transaction.pragma_update(None, "user_version", KNOWN)?;
    transaction.commit()?;
    Ok(if found == 0 { Migrated::Made } else { Migrated::Found })
}

/// How much of a file [`check_header`] looks at: SQLite's header and the beginning of the table of tables.
pub(crate) const HEADER: usize = 108;

/// Whether the file may be ours, by its first octets alone, where no log is beside it. What is no database at all, SQLite
/// tells better.
pub(crate) fn check_header(octets: &[u8]) -> Result<(), Failure> {
    let Some(header) = octets.first_chunk::<HEADER>().filter(|header| header.starts_with(b"SQLite format 3\0")) else {
        return Ok(());
    };
    // Offsets of "The Database Header" and "B-tree Pages" in SQLite's file format.
    let [version, application] = [60, 68].map(|at| [0, 1, 2, 3].map(|octet| header[at + octet]));
    let tables = [header[103], header[104]];
    let is_empty = (version, application, tables) == ([0; 4], [0; 4], [0; 2]);
    if application == APPLICATION.to_be_bytes() || is_empty { Ok(()) } else { Err(Failure::Foreign) }
}

/// The version of the file; 0: it is empty.
pub(crate) fn check(connection: &Connection) -> Result<u32, Failure> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (number("application_id")?, number("user_version")?) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION, found) => match u32::try_from(found) {
            Ok(found) if (1..=KNOWN).contains(&found) => Ok(found),
            Ok(found) if found > KNOWN => Err(Failure::Version { found, known: KNOWN }),
            _ => Err(Failure::damaged("file header", "its version is none")),
        },
        _ => Err(Failure::Foreign),
    }
}
