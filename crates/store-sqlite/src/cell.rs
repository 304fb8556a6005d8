//! Rust values in columns. SQLite's integers are signed 64-bit.

use misario_core::changes::{Epoch, Position};
use misario_jose::UnixTime;

use crate::failure::Failure;

/// The column of a time. What lies beyond the column's range is "never", and comes back as the end of time.
pub(crate) fn from_time(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

pub(crate) fn to_time(column: i64) -> Result<UnixTime, Failure> {
    if column == i64::MAX { Ok(UnixTime::from_secs(u64::MAX)) } else { to_u64(column).map(UnixTime::from_secs) }
}

/// The column of a count that is raised by one at a time and cannot reach the end of the range.
pub(crate) fn from_u64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn to_u64(column: i64) -> Result<u64, Failure> {
    u64::try_from(column).map_err(|error| Failure::damaged("number", error))
}

pub(crate) fn to_position(epoch: i64, sequence: i64) -> Result<Position, Failure> {
    let epoch = u32::try_from(epoch).map_err(|error| Failure::damaged("position", error))?;
    Ok(Position::new(Epoch(epoch), to_u64(sequence)?))
}
