//! What a replica and its parent say to each other on the feed: one binary message per frame.
//!
//! The replica opens with [`ReplicaFrame::Hello`], the parent answers with [`ParentFrame::Welcome`],
//! [`ParentFrame::Keys`], and either the changes since the position shown or a snapshot; from then on both speak when
//! they have something to say. A frame is one version octet and CBOR with numbered fields. Later versions may add
//! fields, which are skipped here; an unknown kind of frame is an error, and ends the connection.
//!
//! A list that is too long for a frame is sent in several ([`ParentFrame::changes`], [`ParentFrame::snapshot`]).

mod form;
mod pack;

use std::fmt;

use misario_jose::UnixTime;
use zeroize::Zeroizing;

use self::form::{ParentForm, ReplicaForm};
use super::envelope;
use super::{Change, CodecError, Nonce, Position};
use crate::id::{AppId, ReplicaId, SessionId};
use crate::refresh::Generation;
use crate::secret::ReplicaKey;

/// The most octets that a frame may have.
pub const MAX_FRAME: usize = 1024 * 1024;

/// The version of the rules that the two sides follow, named in `Hello` and `Welcome`.
pub const FEED_VERSION: u32 = 1;

/// The version octet of frames.
const VERSION: u8 = 1;

/// From the replica to its parent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ReplicaFrame {
    /// The first frame of a connection.
    Hello {
        /// [`FEED_VERSION`].
        version: u32,
        /// The incarnation that connects.
        id: ReplicaId,
        /// What it has applied, if it keeps its view and only wants what came after; absent: it needs a snapshot.
        resume: Option<Position>,
    },
    /// It has applied this much, and wants a lease.
    Renew {
        /// The incarnation. A replica that adopted a snapshot is another one than said `Hello` (rule 4).
        id: ReplicaId,
        /// Names the request (rule 2).
        nonce: Nonce,
        /// What it has applied, its subtree included (rule 6).
        applied: Position,
    },
    /// A question to the authority.
    Ask {
        /// The answer bears the same number.
        request: u64,
        /// The question.
        body: Body,
    },
    /// Logins of an app that were used.
    Seen {
        /// The app. The parent believes it of those that the replica may ask about.
        app: AppId,
        /// Which, and when last.
        uses: Vec<Use>,
    },
    /// The incarnation has stopped answering for good (rule 5).
    Leave {
        /// Which.
        id: ReplicaId,
    },
}

/// A login was used at a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Which login.
    pub sid: SessionId,
    /// When last.
    pub at: UnixTime,
    /// The refresh token generation that its access token came with: the client has it, so an older one that is shown
    /// later was not a lost response.
    pub generation: Option<Generation>,
}

/// From the parent to a replica.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ParentFrame {
    /// The answer to `Hello`.
    Welcome {
        /// [`FEED_VERSION`].
        version: u32,
        /// The longest lease it grants, in milliseconds.
        ttl_ms: u64,
        /// The issuer whose credentials these changes are about.
        issuer: String,
        /// How many seconds of difference between wall clocks its credentials are checked with.
        leeway_secs: u64,
    },
    /// The keys to recognise tokens with: after every `Welcome`, and whenever they change.
    Keys {
        /// All of them, oldest first.
        replica_keys: Vec<ReplicaKey>,
    },
    /// Everything that counts at a position.
    Snapshot {
        /// The position it is complete to.
        position: Position,
        /// All live entries: revocations, changed subjects, apps, keys.
        changes: Vec<Change>,
        /// As in `Keys`; the last part holds them.
        replica_keys: Vec<ReplicaKey>,
        /// Whether this is not the last part of the snapshot.
        more: bool,
    },
    /// Entries in the order of the log.
    Changes {
        /// The position of the entry before the first.
        after: Position,
        /// The entries, without a gap.
        entries: Vec<Change>,
    },
    /// A lease (rule 3).
    Grant {
        /// The request it answers.
        nonce: Nonce,
        /// How long, counted from when the request was sent, in milliseconds.
        ttl_ms: u64,
        /// It holds once this much is applied.
        head: Position,
    },
    /// The answer to `Ask`.
    Answer {
        /// The number of the question.
        request: u64,
        /// The answer.
        body: Body,
    },
    /// The connection ends.
    Bye {
        /// Why, as a stable code.
        code: String,
    },
}

/// A message between the authority and a host that is opaque here. It may hold a password or a token: it does not
/// print, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Zeroizing<Vec<u8>>);

impl Body {
    /// These octets.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} octets)", self.0.len())
    }
}

impl ReplicaFrame {
    /// The frame as octets.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        envelope::close(VERSION, &ReplicaForm::of(self), MAX_FRAME)
    }

    /// The frame that these octets are.
    pub fn decode(octets: &[u8]) -> Result<Self, CodecError> {
        envelope::open::<ReplicaForm<'_>>(VERSION, octets, MAX_FRAME)?.read()
    }
}

impl ParentFrame {
    /// The frame as octets.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        let entries = form::entries_of(self)?;
        envelope::close(VERSION, &ParentForm::of(self, &entries), MAX_FRAME)
    }

    /// The frame that these octets are.
    pub fn decode(octets: &[u8]) -> Result<Self, CodecError> {
        envelope::open::<ParentForm<'_>>(VERSION, octets, MAX_FRAME)?.read()
    }

    /// The encoded frames that bring `entries` to a replica that has applied `after`.
    pub fn changes(after: Position, entries: &[Change]) -> Result<Vec<Vec<u8>>, CodecError> {
        pack::changes(after, entries)
    }

    /// The encoded frames of a snapshot that is complete to `position`.
    pub fn snapshot(
        position: Position,
        changes: &[Change],
        replica_keys: &[ReplicaKey],
    ) -> Result<Vec<Vec<u8>>, CodecError> {
        pack::snapshot(position, changes, replica_keys)
    }
}

#[cfg(test)]
mod tests;
