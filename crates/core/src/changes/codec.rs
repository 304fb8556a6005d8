//! The octets of a change, in a store and on the feed.
//!
//! A store keeps position and times in columns of their own and the kind as octets ([`encode_kind`]); the feed sends
//! the whole entry ([`encode_change`]). Both are one version octet and CBOR with numbered fields; an app travels inside
//! as its JSON, the form that records have too. The numbers below are the format: they are never used again for
//! something else, and `codec/tests.rs` holds the octets of each kind.

use minicbor::{Decode, Encode};
use misario_jose::UnixTime;

use super::envelope::{self, CodecError};
use super::{Change, ChangeKind, Position, Target};
use crate::id::{AppId, ClientId, SessionId, Subject};

/// The most octets that a change may have: stores and feeds have to take this much and no more.
pub const MAX_CHANGE: usize = 128 * 1024;

/// The version octet of changes.
const VERSION: u8 = 1;

/// What a store keeps of a change beside its position and times.
pub fn encode_kind(kind: &ChangeKind) -> Result<Vec<u8>, CodecError> {
    envelope::close(VERSION, &KindForm::of(kind, &app_json(kind)?), MAX_CHANGE)
}

/// The kind that [`encode_kind`] wrote.
pub fn decode_kind(octets: &[u8]) -> Result<ChangeKind, CodecError> {
    envelope::open::<KindForm<'_>>(VERSION, octets, MAX_CHANGE)?.read()
}

/// A whole change, for the feed.
pub fn encode_change(change: &Change) -> Result<Vec<u8>, CodecError> {
    let app = app_json(&change.kind)?;
    let form = ChangeForm {
        position: change.position,
        at: change.at.as_secs(),
        until: change.until.as_secs(),
        kind: KindForm::of(&change.kind, &app),
    };
    envelope::close(VERSION, &form, MAX_CHANGE)
}

/// The change that [`encode_change`] wrote.
pub fn decode_change(octets: &[u8]) -> Result<Change, CodecError> {
    let form: ChangeForm<'_> = envelope::open(VERSION, octets, MAX_CHANGE)?;
    Ok(Change {
        position: form.position,
        at: UnixTime::from_secs(form.at),
        until: UnixTime::from_secs(form.until),
        kind: form.kind.read()?,
    })
}

/// The JSON of the app that the change is about; empty if it is about none.
fn app_json(kind: &ChangeKind) -> Result<String, CodecError> {
    match kind {
        ChangeKind::AppChanged { app } => Ok(serde_json::to_string(app)?),
        _ => Ok(String::new()),
    }
}

#[derive(Encode, Decode)]
struct ChangeForm<'b> {
    #[n(0)]
    position: Position,
    #[n(1)]
    at: u64,
    #[n(2)]
    until: u64,
    #[b(3)]
    kind: KindForm<'b>,
}

#[derive(Encode, Decode)]
enum KindForm<'b> {
    #[n(0)]
    Revoked {
        #[b(0)]
        target: TargetForm<'b>,
        #[n(1)]
        before: Option<Position>,
    },
    #[n(1)]
    SubjectChanged {
        #[b(0)]
        subject: &'b str,
        #[n(1)]
        before: Option<Position>,
    },
    #[n(2)]
    SessionChanged {
        #[n(0)]
        sid: SessionId,
    },
    #[n(3)]
    KeysChanged {
        #[b(0)]
        jwks: &'b str,
    },
    #[n(4)]
    AppChanged {
        #[b(0)]
        app: &'b str,
    },
}

/// The derived form of a name is plain text that nobody checked, so names are read as text here and made by their
/// constructors.
#[derive(Encode, Decode)]
enum TargetForm<'b> {
    #[n(0)]
    Token(#[b(0)] &'b str),
    #[n(1)]
    Login(#[n(0)] SessionId),
    #[n(2)]
    User(#[b(0)] &'b str),
    #[n(3)]
    App(#[b(0)] &'b str),
    #[n(4)]
    Client(#[b(0)] &'b str),
    #[n(5)]
    Key(#[b(0)] &'b str),
    #[n(6)]
    Everything,
}

impl<'b> KindForm<'b> {
    /// `app` is what [`app_json`] made of the same kind.
    fn of(kind: &'b ChangeKind, app: &'b str) -> Self {
        match kind {
            ChangeKind::Revoked { target, before } => Self::Revoked { target: TargetForm::of(target), before: *before },
            ChangeKind::SubjectChanged { subject, before } => {
                Self::SubjectChanged { subject: subject.as_str(), before: *before }
            }
            ChangeKind::SessionChanged { sid } => Self::SessionChanged { sid: *sid },
            ChangeKind::KeysChanged { jwks } => Self::KeysChanged { jwks },
            ChangeKind::AppChanged { .. } => Self::AppChanged { app },
        }
    }

    fn read(self) -> Result<ChangeKind, CodecError> {
        Ok(match self {
            Self::Revoked { target, before } => ChangeKind::Revoked { target: target.read()?, before },
            Self::SubjectChanged { subject, before } => {
                ChangeKind::SubjectChanged { subject: Subject::new(subject)?, before }
            }
            Self::SessionChanged { sid } => ChangeKind::SessionChanged { sid },
            Self::KeysChanged { jwks } => ChangeKind::KeysChanged { jwks: jwks.to_owned() },
            Self::AppChanged { app } => ChangeKind::AppChanged { app: Box::new(serde_json::from_str(app)?) },
        })
    }
}

impl<'b> TargetForm<'b> {
    fn of(target: &'b Target) -> Self {
        match target {
            Target::Token(jti) => Self::Token(jti),
            Target::Login(sid) => Self::Login(*sid),
            Target::User(subject) => Self::User(subject.as_str()),
            Target::App(app) => Self::App(app.as_str()),
            Target::Client(client) => Self::Client(client.as_str()),
            Target::Key(kid) => Self::Key(kid),
            Target::Everything => Self::Everything,
        }
    }

    fn read(self) -> Result<Target, CodecError> {
        Ok(match self {
            Self::Token(jti) => Target::Token(jti.to_owned()),
            Self::Login(sid) => Target::Login(sid),
            Self::User(subject) => Target::User(Subject::new(subject)?),
            Self::App(app) => Target::App(AppId::new(app)?),
            Self::Client(client) => Target::Client(ClientId::new(client)?),
            Self::Key(kid) => Target::Key(kid.to_owned()),
            Self::Everything => Target::Everything,
        })
    }
}

#[cfg(test)]
mod tests;
