//! Lists that are longer than a frame.

use super::form::{EntryForm, ParentForm, keys};
use super::{MAX_FRAME, VERSION};
use crate::changes::codec::{MAX_CHANGE, encode_change};
use crate::changes::{Change, CodecError, Position, envelope};
use crate::secret::ReplicaKey;

/// A part is full at this size: with one more change and a frame's other fields it is still below the limit.
const FULL: usize = MAX_FRAME - 2 * MAX_CHANGE;

/// What CBOR puts before an octet string of up to 4 GiB.
const ENTRY_HEAD: usize = 5;

/// See [`super::ParentFrame::changes`].
pub(super) fn changes(after: Position, entries: &[Change]) -> Result<Vec<Vec<u8>>, CodecError> {
    let mut frames = Vec::new();
    let mut after = after;
    let mut rest = entries;
    while !rest.is_empty() {
        let (part, left) = fill(rest)?;
        let form = ParentForm::Changes { after, entries: forms(&part) };
        frames.push(envelope::close(VERSION, &form, MAX_FRAME)?);
        after = rest.get(part.len() - 1).map_or(after, |last| last.position);
        rest = left;
    }
    Ok(frames)
}

/// See [`super::ParentFrame::snapshot`]. There is at least one part, and only the last says that it is the last.
pub(super) fn snapshot(
    position: Position,
    changes: &[Change],
    replica_keys: &[ReplicaKey],
) -> Result<Vec<Vec<u8>>, CodecError> {
    let mut frames = Vec::new();
    let mut rest = changes;
    loop {
        let (part, left) = fill(rest)?;
        rest = left;
        let more = !rest.is_empty();
        let replica_keys = if more { Vec::new() } else { keys(replica_keys) };
        let form = ParentForm::Snapshot { position, changes: forms(&part), replica_keys, more };
        frames.push(envelope::close(VERSION, &form, MAX_FRAME)?);
        if !more {
            return Ok(frames);
        }
    }
}

/// As many encoded changes from the start of `changes` as fill a part (at least one, if there is one), and the rest.
fn fill(changes: &[Change]) -> Result<(Vec<Vec<u8>>, &[Change]), CodecError> {
    let mut part = Vec::new();
    let mut size = 0;
    for change in changes {
        if size >= FULL {
            break;
        }
        let octets = encode_change(change)?;
        size += octets.len() + ENTRY_HEAD;
        part.push(octets);
    }
    let rest = changes.get(part.len()..).unwrap_or_default();
    Ok((part, rest))
}

fn forms(part: &[Vec<u8>]) -> Vec<EntryForm<'_>> {
    part.iter().map(|octets| EntryForm(octets)).collect()
}
