//! Fences.

use misario_core::changes::{Fence, FenceKey, Position};
use misario_core::session::Session;
use misario_core::store::fencing;
use misario_jose::UnixTime;
use rusqlite::{Connection, OptionalExtension, params};

use crate::cell;
use crate::failure::Failure;

/// The stored keys of the fences that end a session.
pub(super) fn keys_ending(session: &Session) -> [String; 4] {
    fencing::ending(session).map(|key| key.to_string())
}

pub(super) fn find(connection: &Connection, key: &str) -> Result<Option<Fence>, Failure> {
    let mut statement = connection.prepare_cached("SELECT epoch, seq, until FROM fences WHERE key = ?1")?;
    let columns = statement.query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((epoch, sequence, until)) = columns else { return Ok(None) };
    let until: Option<i64> = until;
    let before = cell::to_position(epoch, sequence)?;
    Ok(Some(Fence { before, until: until.map(cell::to_time).transpose()? }))
}

/// The latest cut-off of the fences under `keys`.
pub(super) fn cut_off(connection: &Connection, keys: &[String]) -> Result<Option<Position>, Failure> {
    keys.iter().try_fold(None, |latest: Option<Position>, key| {
        Ok(latest.max(find(connection, key)?.map(|fence| fence.before)))
    })
}

pub(super) fn raise(connection: &Connection, key: &FenceKey, fence: Fence) -> Result<(), Failure> {
    let key = key.to_string();
    let raised = fencing::raised(find(connection, &key)?, fence);
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO fences (key, epoch, seq, until) VALUES (?1, ?2, ?3, ?4)")?;
    let until = raised.until.map(cell::from_time);
    statement.execute(params![key, raised.before.epoch.0, cell::from_u64(raised.before.sequence), until])?;
    Ok(())
}

pub(super) fn prune(connection: &Connection, now: UnixTime, limit: u32) -> Result<u32, Failure> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM fences WHERE key IN (SELECT key FROM fences WHERE until < ?1 ORDER BY until LIMIT ?2)",
    )?;
    let pruned = statement.execute(params![cell::from_time(now), limit])?;
    Ok(u32::try_from(pruned).unwrap_or(u32::MAX))
}
