//! The numbered fields of frames. The numbers are the format: they are never used again for something else.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use misario_jose::UnixTime;

use super::{Body, ParentFrame, ReplicaFrame, Use};
use crate::changes::codec::{decode_change, encode_change};
use crate::changes::{Change, CodecError, Nonce, Position};
use crate::id::{AppId, ReplicaId, SessionId};
use crate::refresh::Generation;
use crate::secret::ReplicaKey;

#[derive(Encode, Decode)]
pub(super) enum ReplicaForm<'b> {
    #[n(0)]
    Hello {
        #[n(0)]
        version: u32,
        #[n(1)]
        id: ReplicaId,
        #[n(2)]
        resume: Option<Position>,
    },
    #[n(1)]
    Renew {
        #[n(0)]
        id: ReplicaId,
        #[n(1)]
        nonce: Nonce,
        #[n(2)]
        applied: Position,
    },
    #[n(2)]
    Ask {
        #[n(0)]
        request: u64,
        #[cbor(b(1), with = "minicbor::bytes")]
        body: &'b [u8],
    },
    #[n(3)]
    Seen {
        #[b(0)]
        app: &'b str,
        #[n(1)]
        uses: Vec<UseForm>,
    },
    #[n(4)]
    Leave {
        #[n(0)]
        id: ReplicaId,
    },
}

/// The last field is left out where there is none.
#[derive(Encode, Decode)]
pub(super) struct UseForm(#[n(0)] SessionId, #[n(1)] u64, #[n(2)] Option<u32>);

impl UseForm {
    fn of(used: &Use) -> Self {
        Self(used.sid, used.at.as_secs(), used.generation.map(|generation| generation.0))
    }

    fn read(self) -> Use {
        Use { sid: self.0, at: UnixTime::from_secs(self.1), generation: self.2.map(Generation) }
    }
}

impl<'b> ReplicaForm<'b> {
    pub(super) fn of(frame: &'b ReplicaFrame) -> Self {
        match frame {
            ReplicaFrame::Hello { version, id, resume } => Self::Hello { version: *version, id: *id, resume: *resume },
            ReplicaFrame::Renew { id, nonce, applied } => Self::Renew { id: *id, nonce: *nonce, applied: *applied },
            ReplicaFrame::Ask { request, body } => Self::Ask { request: *request, body: body.as_bytes() },
            ReplicaFrame::Seen { app, uses } => {
                Self::Seen { app: app.as_str(), uses: uses.iter().map(UseForm::of).collect() }
            }
            ReplicaFrame::Leave { id } => Self::Leave { id: *id },
        }
    }

    pub(super) fn read(self) -> Result<ReplicaFrame, CodecError> {
        Ok(match self {
            Self::Hello { version, id, resume } => ReplicaFrame::Hello { version, id, resume },
            Self::Renew { id, nonce, applied } => ReplicaFrame::Renew { id, nonce, applied },
            Self::Ask { request, body } => ReplicaFrame::Ask { request, body: Body::new(body.to_vec()) },
            Self::Seen { app, uses } => {
                ReplicaFrame::Seen { app: AppId::new(app)?, uses: uses.into_iter().map(UseForm::read).collect() }
            }
            Self::Leave { id } => ReplicaFrame::Leave { id },
        })
    }
}

/// A change inside a frame is an octet string in the form of [`encode_change`], with that form's own version.
#[derive(Encode, Decode)]
pub(super) enum ParentForm<'b> {
    #[n(0)]
    Welcome {
        #[n(0)]
        version: u32,
        #[n(1)]
        ttl_ms: u64,
        #[b(2)]
        issuer: &'b str,
        #[n(3)]
        leeway_secs: u64,
    },
    #[n(1)]
    Keys {
        #[n(0)]
        replica_keys: Vec<KeyForm>,
    },
    #[n(2)]
    Snapshot {
        #[n(0)]
        position: Position,
        #[b(1)]
        changes: Vec<EntryForm<'b>>,
        #[n(2)]
        replica_keys: Vec<KeyForm>,
        #[n(3)]
        more: bool,
    },
    #[n(3)]
    Changes {
        #[n(0)]
        after: Position,
        #[b(1)]
        entries: Vec<EntryForm<'b>>,
    },
    #[n(4)]
    Grant {
        #[n(0)]
        nonce: Nonce,
        #[n(1)]
        ttl_ms: u64,
        #[n(2)]
        head: Position,
    },
    #[n(5)]
    Answer {
        #[n(0)]
        request: u64,
        #[cbor(b(1), with = "minicbor::bytes")]
        body: &'b [u8],
    },
    #[n(6)]
    Bye {
        #[b(0)]
        code: &'b str,
    },
}

#[derive(Encode, Decode)]
pub(super) struct KeyForm {
    #[n(0)]
    id: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    secret: [u8; 32],
}

impl Drop for KeyForm {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.secret);
    }
}

#[derive(Encode, Decode)]
#[cbor(transparent)]
pub(super) struct EntryForm<'b>(#[cbor(b(0), with = "minicbor::bytes")] pub(super) &'b [u8]);

/// The encoded changes of a frame; none if it is not about changes.
pub(super) fn entries_of(frame: &ParentFrame) -> Result<Vec<ByteVec>, CodecError> {
    match frame {
        ParentFrame::Snapshot { changes, .. } | ParentFrame::Changes { entries: changes, .. } => {
            changes.iter().map(|change| encode_change(change).map(ByteVec::from)).collect()
        }
        _ => Ok(Vec::new()),
    }
}

pub(super) fn keys(keys: &[ReplicaKey]) -> Vec<KeyForm> {
    keys.iter().map(|key| KeyForm { id: key.id, secret: *key.export() }).collect()
}

fn read_keys(keys: &[KeyForm]) -> Vec<ReplicaKey> {
    keys.iter().map(|key| ReplicaKey::import(key.id, &key.secret)).collect()
}

fn read_entries(entries: &[EntryForm<'_>]) -> Result<Vec<Change>, CodecError> {
    entries.iter().map(|entry| decode_change(entry.0)).collect()
}

impl<'b> ParentForm<'b> {
    /// `entries` is what [`entries_of`] made of the same frame.
    pub(super) fn of(frame: &'b ParentFrame, entries: &'b [ByteVec]) -> Self {
        let entries = || entries.iter().map(|entry| EntryForm(entry.as_slice())).collect();
        match frame {
            ParentFrame::Welcome { version, ttl_ms, issuer, leeway_secs } => {
                Self::Welcome { version: *version, ttl_ms: *ttl_ms, issuer, leeway_secs: *leeway_secs }
            }
            ParentFrame::Keys { replica_keys } => Self::Keys { replica_keys: keys(replica_keys) },
            ParentFrame::Snapshot { position, replica_keys, more, .. } => Self::Snapshot {
                position: *position,
                changes: entries(),
                replica_keys: keys(replica_keys),
                more: *more,
            },
            ParentFrame::Changes { after, .. } => Self::Changes { after: *after, entries: entries() },
            ParentFrame::Grant { nonce, ttl_ms, head } => Self::Grant { nonce: *nonce, ttl_ms: *ttl_ms, head: *head },
            ParentFrame::Answer { request, body } => Self::Answer { request: *request, body: body.as_bytes() },
            ParentFrame::Bye { code } => Self::Bye { code },
        }
    }

    pub(super) fn read(self) -> Result<ParentFrame, CodecError> {
        Ok(match self {
            Self::Welcome { version, ttl_ms, issuer, leeway_secs } => {
                ParentFrame::Welcome { version, ttl_ms, issuer: issuer.to_owned(), leeway_secs }
            }
            Self::Keys { replica_keys } => ParentFrame::Keys { replica_keys: read_keys(&replica_keys) },
            Self::Snapshot { position, changes, replica_keys, more } => ParentFrame::Snapshot {
                position,
                changes: read_entries(&changes)?,
                replica_keys: read_keys(&replica_keys),
                more,
            },
            Self::Changes { after, entries } => ParentFrame::Changes { after, entries: read_entries(&entries)? },
            Self::Grant { nonce, ttl_ms, head } => ParentFrame::Grant { nonce, ttl_ms, head },
            Self::Answer { request, body } => ParentFrame::Answer { request, body: Body::new(body.to_vec()) },
            Self::Bye { code } => ParentFrame::Bye { code: code.to_owned() },
        })
    }
}
