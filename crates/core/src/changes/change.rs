//! What an entry of the change log says.

use misario_jose::UnixTime;

use super::Position;
use crate::app::App;
use crate::id::{AppId, ClientId, SessionId, Subject};

/// An entry of the change log: something that must be true at every verifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its place in the log.
    pub position: Position,
    /// When it was appended, by the appender's wall clock. Shown to people, compared with nothing but `iat` of
    /// credentials that carry no position.
    pub at: UnixTime,
    /// The entry may be pruned after this: nothing that a verifier could have cached can still be alive (rule 16).
    pub until: UnixTime,
    /// What changed.
    pub kind: ChangeKind,
}

/// An entry that has no place in the log yet. The store gives it one in [`crate::store::ChangeLog::append`].
#[derive(Debug, Clone, PartialEq)]
pub struct NewChange {
    /// See [`Change::at`].
    pub at: UnixTime,
    /// See [`Change::until`].
    pub until: UnixTime,
    /// What changed.
    pub kind: ChangeKind,
    /// The durable mark to write in the same atomic step, if what the change ends can outlive the entry (rule 23).
    pub fence: Option<NewFence>,
}

impl NewChange {
    /// The entry with its place.
    pub fn at_position(self, position: Position) -> Change {
        Change { position, at: self.at, until: self.until, kind: self.kind }
    }
}

/// The kinds of change.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// Everything issued to or under `target` before the cut-off is refused.
    Revoked {
        /// Whose credentials end.
        target: Target,
        /// The original cut-off of an entry that had to be appended again in a later epoch (rule 30);
        /// absent: this entry's own position.
        before: Option<Position>,
    },
    /// Roles, permissions or the like of a user changed: access tokens issued before the cut-off are stale, cached
    /// sessions are loaded again; no login ends.
    SubjectChanged {
        /// Whose claims changed.
        subject: Subject,
        /// As for `Revoked`.
        before: Option<Position>,
    },
    /// One session record changed in a way that its cached copies must not hide.
    SessionChanged {
        /// Which session.
        sid: SessionId,
    },
    /// The set of keys that verify this issuer's tokens. Always the whole set, as a JWK Set.
    KeysChanged {
        /// The public JWK Set, as JSON.
        jwks: String,
    },
    /// An app was made or changed. Always the whole app.
    AppChanged {
        /// The app as it is from here on.
        app: Box<App>,
    },
}

impl ChangeKind {
    /// What the entry says as a whole, so that later entries of the same topic say it anew and earlier ones say nothing
    /// any more; `None`: the entry stands for itself.
    pub fn topic(&self) -> Option<String> {
        match self {
            Self::KeysChanged { .. } => Some("keys".to_owned()),
            Self::AppChanged { app } => Some(format!("app:{}", app.id)),
            _ => None,
        }
    }
}

impl Change {
    /// Credentials with a position smaller than this are concerned by the change.
    pub fn cut_off(&self) -> Position {
        match &self.kind {
            ChangeKind::Revoked { before: Some(before), .. }
            | ChangeKind::SubjectChanged { before: Some(before), .. } => *before,
            _ => self.position,
        }
    }
}

/// What a revocation ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// One access token, by its `jti`.
    Token(String),
    /// One login, whatever was issued to it, whenever.
    Login(SessionId),
    /// Every login and token of a user that was issued before the change.
    User(Subject),
    /// Everything issued for an app before the change.
    App(AppId),
    /// Everything issued to a client before the change.
    Client(ClientId),
    /// Every token signed by a key, by its `kid`.
    Key(String),
    /// Everything this issuer issued before the change.
    Everything,
}

/// A durable mark in the live store: what was issued before it does not count any more. It outlives the log entry
/// that was written with it, so that a record which comes late (an insert that raced the revocation) is still refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// Records and credentials whose position is smaller are refused.
    pub before: Position,
    /// The fence may be swept after this; absent: never.
    pub until: Option<UnixTime>,
}

/// A fence that is written together with its change, and therefore cuts off at the change's position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFence {
    /// What is fenced off.
    pub key: FenceKey,
    /// See [`Fence::until`].
    pub until: Option<UnixTime>,
}

/// What a fence stands for. Its text form (`Display`) is the stored key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FenceKey {
    /// A login.
    Login(SessionId),
    /// A user's logins.
    User(Subject),
    /// A user's roles and permissions as known before: not ended, to be read again.
    Stale(Subject),
    /// An app's logins.
    App(AppId),
    /// A client's tokens.
    Client(ClientId),
    /// All logins.
    Everything,
}

impl std::fmt::Display for FenceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Login(sid) => write!(f, "login:{sid}"),
            Self::User(subject) => write!(f, "user:{subject}"),
            Self::Stale(subject) => write!(f, "stale:{subject}"),
            Self::App(app) => write!(f, "app:{app}"),
            Self::Client(client) => write!(f, "client:{client}"),
            Self::Everything => f.write_str("everything"),
        }
    }
}
