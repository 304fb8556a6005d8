//! Sizes that every store takes, and beyond which every store refuses alike.

use std::io;

use super::{NewRecord, StoreError};
use crate::session::Session;

/// The largest body, of a record or a session, that a store has to take, in octets of its JSON.
pub const MAX_BODY: usize = 64 * 1024;

/// The longest key or alias of a record, in octets.
pub const MAX_KEY: usize = 255;

/// The most items of one page.
pub const MAX_PAGE: u32 = 1_000;

/// How many items a page asked for with `limit` holds at most.
pub fn page_size(limit: u32) -> u32 {
    limit.clamp(1, MAX_PAGE)
}

/// Refuses a record that is larger than a store has to take.
pub fn check_record(record: &NewRecord) -> Result<(), StoreError> {
    check("record key", record.key.len(), MAX_KEY)?;
    check("record alias", record.alias.as_ref().map_or(0, String::len), MAX_KEY)?;
    check("record", record.body.len(), MAX_BODY)
}

/// Refuses a session whose JSON is larger than a store has to take.
pub fn check_session(session: &Session) -> Result<(), StoreError> {
    let mut size = Counted(0);
    serde_json::to_writer(&mut size, session).map_err(StoreError::unavailable)?;
    check_session_size(size.0)
}

/// As [`check_session`], for who has the JSON.
pub fn check_session_size(octets: usize) -> Result<(), StoreError> {
    check("session", octets, MAX_BODY)
}

fn check(what: &'static str, size: usize, limit: usize) -> Result<(), StoreError> {
    if size > limit { Err(StoreError::TooLarge { what, size, limit }) } else { Ok(()) }
}

/// Takes octets and keeps their number.
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 += octets.len();
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
