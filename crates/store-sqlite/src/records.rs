//! Records.

use misario_core::store::{
    NewRecord, Record, RecordInserted, RecordKind, RecordPage, RecordStore, RecordSwapped, Revision, StoreFuture,
    limits,
};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use crate::SqliteStore;
use crate::cell;
use crate::failure::Failure;
use crate::writer::Tx;

/// The record in the columns (key, alias, body, revision).
fn read(row: &Row<'_>) -> Result<Record, Failure> {
    let revision = Revision(cell::to_u64(row.get(3)?)?);
    Ok(Record { key: row.get(0)?, alias: row.get(1)?, body: row.get(2)?, revision })
}

fn records(connection: &Connection, statement: &str, params: impl Params) -> Result<Vec<Record>, Failure> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(params)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(read(row)?);
    }
    Ok(records)
}

fn revision_of(connection: &Connection, kind: RecordKind, key: &str) -> Result<Option<Revision>, Failure> {
    let mut statement = connection.prepare_cached("SELECT revision FROM records WHERE kind = ?1 AND key = ?2")?;
    let revision: Option<i64> = statement.query_row([kind.name(), key], |row| row.get(0)).optional()?;
    revision.map(|revision| cell::to_u64(revision).map(Revision)).transpose()
}

/// Whether the alias stands for another record.
fn is_taken(connection: &Connection, record: &NewRecord) -> Result<bool, Failure> {
    let Some(alias) = &record.alias else { return Ok(false) };
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM records WHERE kind = ?1 AND alias = ?2 AND key <> ?3")?;
    Ok(statement.exists([record.kind.name(), alias, &record.key])?)
}

fn insert(tx: &mut Tx<'_>, new: &NewRecord) -> Result<RecordInserted, Failure> {
    if revision_of(tx.connection, new.kind, &new.key)?.is_some() || is_taken(tx.connection, new)? {
        return Ok(RecordInserted::Exists);
    }
    let revision = tx.marks.next_revision();
    let mut statement = tx
        .connection
        .prepare_cached("INSERT INTO records (kind, key, alias, revision, body) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    statement.execute(params![new.kind.name(), new.key, new.alias, cell::from_u64(revision.0), new.body])?;
    Ok(RecordInserted::Done(revision))
}

fn swap(tx: &mut Tx<'_>, new: &NewRecord, expected: Revision) -> Result<RecordSwapped, Failure> {
    match revision_of(tx.connection, new.kind, &new.key)? {
        None => return Ok(RecordSwapped::Gone),
        Some(found) if found != expected => return Ok(RecordSwapped::Conflict),
        Some(_) if is_taken(tx.connection, new)? => return Ok(RecordSwapped::Conflict),
        Some(_) => {}
    }
    let revision = tx.marks.next_revision();
    let mut statement = tx
        .connection
        .prepare_cached("UPDATE records SET alias = ?3, revision = ?4, body = ?5 WHERE kind = ?1 AND key = ?2")?;
    statement.execute(params![new.kind.name(), new.key, new.alias, cell::from_u64(revision.0), new.body])?;
    Ok(RecordSwapped::Done(revision))
}

fn remove(tx: &mut Tx<'_>, kind: RecordKind, key: &str, expected: Revision) -> Result<bool, Failure> {
    if revision_of(tx.connection, kind, key)? != Some(expected) {
        return Ok(false);
    }
    let mut statement = tx.connection.prepare_cached("DELETE FROM records WHERE kind = ?1 AND key = ?2")?;
    Ok(statement.execute([kind.name(), key])? > 0)
}

fn list(connection: &Connection, kind: RecordKind, after: Option<&str>, limit: u32) -> Result<RecordPage, Failure> {
    // Text is compared octet by octet: the collation is BINARY.
    let mut records = match after {
        Some(after) => records(
            connection,
            "SELECT key, alias, body, revision FROM records WHERE kind = ?1 AND key > ?2 ORDER BY key LIMIT ?3",
            params![kind.name(), after, limit + 1],
        ),
        None => records(
            connection,
            "SELECT key, alias, body, revision FROM records WHERE kind = ?1 ORDER BY key LIMIT ?2",
            params![kind.name(), limit + 1],
        ),
    }?;
    let more = records.len() > limit as usize;
    records.truncate(limit as usize);
    let next = records.last().filter(|_| more).map(|record| record.key.clone());
    Ok(RecordPage { records, next })
}

impl RecordStore for SqliteStore {
    fn insert_record(&self, record: NewRecord) -> StoreFuture<'_, RecordInserted> {
        Box::pin(async move {
            limits::check_record(&record)?;
            self.write(move |tx| insert(tx, &record)).await
        })
    }

    fn load_record<'a>(&'a self, kind: RecordKind, key: &'a str) -> StoreFuture<'a, Option<Record>> {
        let key = key.to_owned();
        Box::pin(self.read(move |connection| {
            let statement = "SELECT key, alias, body, revision FROM records WHERE kind = ?1 AND key = ?2";
            Ok(records(connection, statement, [kind.name(), &key])?.pop())
        }))
    }

    fn load_by_alias<'a>(&'a self, kind: RecordKind, alias: &'a str) -> StoreFuture<'a, Option<Record>> {
        let alias = alias.to_owned();
        Box::pin(self.read(move |connection| {
            let statement = "SELECT key, alias, body, revision FROM records WHERE kind = ?1 AND alias = ?2";
            Ok(records(connection, statement, [kind.name(), &alias])?.pop())
        }))
    }

    fn swap_record(&self, record: NewRecord, expected: Revision) -> StoreFuture<'_, RecordSwapped> {
        Box::pin(async move {
            limits::check_record(&record)?;
            self.write(move |tx| swap(tx, &record, expected)).await
        })
    }

    fn remove_record<'a>(&'a self, kind: RecordKind, key: &'a str, expected: Revision) -> StoreFuture<'a, bool> {
        let key = key.to_owned();
        Box::pin(self.write(move |tx| remove(tx, kind, &key, expected)))
    }

    fn list_records<'a>(&'a self, kind: RecordKind, after: Option<&'a str>, limit: u32) -> StoreFuture<'a, RecordPage> {
        let (after, limit) = (after.map(str::to_owned), limits::page_size(limit));
        Box::pin(self.read(move |connection| list(connection, kind, after.as_deref(), limit)))
    }
}
