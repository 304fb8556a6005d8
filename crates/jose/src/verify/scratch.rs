//! Memory that verifications take turns in.

use std::fmt;

use crate::json::Index;

/// Buffers for one verification at a time; after the first few tokens a verification allocates nothing.
///
/// It holds the decoded parts of the last token until the next one; keep it where tokens may be kept.
#[derive(Default)]
pub struct Scratch {
    pub(super) header: Vec<u8>,
    pub(super) header_index: Index,
    pub(super) payload: Vec<u8>,
    pub(super) claims_index: Index,
    pub(super) signature: Vec<u8>,
    pub(super) kid: String,
}

impl Scratch {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch(..)")
    }
}
