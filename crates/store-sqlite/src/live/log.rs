//! The change log.

use misario_core::changes::{Change, CodecError, Fence, FenceKey, NewChange, NewFence, Position, codec};
use misario_core::id::ReplicaId;
use misario_core::store::{Appended, ChangeLog, Fences, LogRead, RegistryEntry, Renewal, StoreError, StoreFuture};
use misario_jose::UnixTime;
use rusqlite::{Connection, Params, Row, params};

use super::fences;
use crate::SqliteStore;
use crate::cell;
use crate::failure::Failure;
use crate::marks::Marks;
use crate::standing::Standing;
use crate::writer::Tx;

/// An entry on its way into the file.
struct Entry {
    at: i64,
    until: i64,
    kind: Vec<u8>,
    topic: Option<String>,
    fence: Option<NewFence>,
}

impl Entry {
    fn of(change: NewChange) -> Result<Self, StoreError> {
        let kind = codec::encode_kind(&change.kind).map_err(|error| match error {
            CodecError::TooLarge { size, limit } => StoreError::TooLarge { what: "change", size, limit },
            other => StoreError::unavailable(other),
        })?;
        Ok(Self {
            at: cell::from_time(change.at),
            until: cell::from_time(change.until),
            kind,
            topic: change.kind.topic(),
            fence: change.fence,
        })
    }

    /// Takes the next place. A transaction that comes to nothing gives it back, so there are no gaps.
    fn append(&self, tx: &mut Tx<'_>) -> Result<Position, Failure> {
        let position = tx.marks.next();
        if let Some(topic) = &self.topic {
            tx.connection
                .prepare_cached("UPDATE log SET until = ?2 WHERE topic = ?1 AND until > ?2")?
                .execute(params![topic, self.at])?;
        }
        let mut statement = tx
            .connection
            .prepare_cached("INSERT INTO log (epoch, seq, at, until, kind, topic) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let sequence = cell::from_u64(position.sequence);
        statement.execute(params![position.epoch.0, sequence, self.at, self.until, self.kind, self.topic])?;
        if let Some(fence) = &self.fence {
            fences::raise(tx.connection, &fence.key, Fence { before: position, until: fence.until })?;
        }
        tx.marks.head = position;
        Ok(position)
    }
}

/// The change in the columns (epoch, seq, at, until, kind).
fn read(row: &Row<'_>) -> Result<Change, Failure> {
    let kind = codec::decode_kind(row.get_ref(4)?.as_blob()?).map_err(|error| Failure::damaged("log entry", error))?;
    Ok(Change {
        position: cell::to_position(row.get(0)?, row.get(1)?)?,
        at: cell::to_time(row.get(2)?)?,
        until: cell::to_time(row.get(3)?)?,
        kind,
    })
}

fn changes(connection: &Connection, statement: &str, params: impl Params) -> Result<Vec<Change>, Failure> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(params)?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(read(row)?);
    }
    Ok(changes)
}

fn read_from(connection: &Connection, position: Position, limit: u32) -> Result<LogRead, Failure> {
    let Marks { head, base, .. } = Marks::read(connection)?;
    if position < base || position > head {
        return Ok(LogRead::Gap);
    }
    let (epoch, sequence) = (position.epoch.0, cell::from_u64(position.sequence));
    // Between base and head every entry is there, unless the position is of a log that was lost: this file was put back
    // to an earlier state, and went on in a later epoch.
    let known = position == base
        || connection
            .prepare_cached("SELECT 1 FROM log WHERE epoch = ?1 AND seq = ?2")?
            .exists(params![epoch, sequence])?;
    if !known && position != head {
        return Ok(LogRead::Gap);
    }
    changes(
        connection,
        "SELECT epoch, seq, at, until, kind FROM log WHERE (epoch, seq) > (?1, ?2) ORDER BY epoch, seq LIMIT ?3",
        params![epoch, sequence, limit],
    )
    .map(LogRead::Entries)
}

fn snapshot(connection: &Connection) -> Result<(Position, Vec<Change>), Failure> {
    let head = Marks::read(connection)?.head;
    let kept = changes(connection, "SELECT epoch, seq, at, until, kind FROM log ORDER BY epoch, seq", [])?;
    Ok((head, kept))
}

/// Prunes entries; whoever has not read the last of them has a gap.
fn prune(tx: &mut Tx<'_>, now: UnixTime, limit: u32) -> Result<u32, Failure> {
    let mut statement = tx.connection.prepare_cached(
        "DELETE FROM log WHERE (epoch, seq) IN (SELECT epoch, seq FROM log WHERE until < ?1 ORDER BY until LIMIT ?2)
         RETURNING epoch, seq",
    )?;
    let mut rows = statement.query(params![cell::from_time(now), limit])?;
    let mut pruned = 0;
    while let Some(row) = rows.next()? {
        tx.marks.base = tx.marks.base.max(cell::to_position(row.get(0)?, row.get(1)?)?);
        pruned += 1;
    }
    Ok(pruned)
}

impl ChangeLog for SqliteStore {
    fn append(&self, change: NewChange) -> StoreFuture<'_, Appended> {
        Box::pin(async move {
            let entry = Entry::of(change)?;
            self.write_and(
                move |tx| entry.append(tx),
                |position, committed| Appended { position, registry: committed.registry.clone() },
            )
            .await
        })
    }

    fn read_from(&self, position: Position, limit: u32) -> StoreFuture<'_, LogRead> {
        Box::pin(self.read(move |connection| read_from(connection, position, limit)))
    }

    fn snapshot(&self) -> StoreFuture<'_, (Position, Vec<Change>)> {
        Box::pin(self.read(snapshot))
    }

    fn head(&self) -> StoreFuture<'_, Position> {
        Box::pin(async move { self.standing(Standing::head) })
    }

    fn wait_beyond(&self, position: Position) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.standing.moved_from(position).await.map_err(|failure| failure.to_store_error()) })
    }

    fn fences<'a>(&'a self, keys: &'a [FenceKey]) -> StoreFuture<'a, Fences> {
        let keys: Vec<String> = keys.iter().map(FenceKey::to_string).collect();
        Box::pin(self.read(move |connection| {
            let as_of = Marks::read(connection)?.head;
            let fences = keys.iter().map(|key| fences::find(connection, key)).collect::<Result<_, _>>()?;
            Ok(Fences { as_of, fences })
        }))
    }

    fn renew(&self, renewal: Renewal) -> StoreFuture<'_, Position> {
        Box::pin(async move { self.standing(|standing| standing.renew(renewal)) })
    }

    fn replicas(&self) -> StoreFuture<'_, Vec<RegistryEntry>> {
        Box::pin(async move { self.standing(Standing::replicas) })
    }

    fn leave(&self, id: ReplicaId, counter: u64) -> StoreFuture<'_, bool> {
        Box::pin(async move { self.standing(|standing| standing.leave(id, counter)) })
    }

    fn prune(&self, now: UnixTime, limit: u32) -> StoreFuture<'_, u32> {
        Box::pin(self.write(move |tx| {
            let entries = prune(tx, now, limit)?;
            Ok(entries + fences::prune(tx.connection, now, limit - entries)?)
        }))
    }
}
