//! What is asked of a view, and what it answers.

use crate::changes::{Change, ChangeKind, Position, Target};
use crate::id::{AppId, SessionId, Subject};

/// By what a change may concern a credential, or a record behind one. `None` means that the credential has no such
/// thing, never that it was not looked for.
#[derive(Debug, Clone, Copy)]
pub struct ClaimFacts<'a> {
    /// The claim `jti`.
    pub jti: Option<&'a str>,
    /// The login it belongs to.
    pub sid: Option<SessionId>,
    /// Who it speaks for.
    pub subject: Option<&'a Subject>,
    /// What was logged in to.
    pub app: Option<&'a AppId>,
    /// The client it was issued to.
    pub client: Option<&'a str>,
    /// The key that signed it.
    pub kid: Option<&'a str>,
    /// When it was issued: the position in it, or its record's `issued`.
    pub issued: Position,
    /// When its roles were read: a token's position, a session's `grant_at`.
    pub claims_at: Position,
}

/// What a view says of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No change that is known speaks against it.
    Good,
    /// It was revoked.
    Revoked {
        /// By a revocation of this kind.
        by: TargetKind,
        /// The revocation's cut-off.
        at: Position,
    },
    /// It still counts, but the roles in it do not: to be refreshed or loaded again.
    Stale,
}

/// The kind of a [`Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetKind {
    /// One access token.
    Token,
    /// One login.
    Login,
    /// A user.
    User,
    /// An app.
    App,
    /// A client.
    Client,
    /// A signing key.
    Key,
    /// All there is.
    Everything,
}

impl TargetKind {
    /// The name in audit, metrics and explanations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Login => "login",
            Self::User => "user",
            Self::App => "app",
            Self::Client => "client",
            Self::Key => "key",
            Self::Everything => "everything",
        }
    }
}

/// Whether `change` concerns a credential or session with these facts, so that a cached copy of it is to be dropped and
/// a load that raced the change is to be thrown away (PROTOCOL rule 21). When it was issued is not looked at: that
/// would only spare a few copies. A new key set concerns whatever a key has signed.
pub fn covers(change: &Change, facts: &ClaimFacts<'_>) -> bool {
    match &change.kind {
        ChangeKind::Revoked { target, .. } => match target {
            Target::Token(jti) => facts.jti == Some(jti),
            Target::Login(sid) => facts.sid == Some(*sid),
            Target::User(subject) => facts.subject == Some(subject),
            Target::App(app) => facts.app == Some(app),
            Target::Client(client) => facts.client == Some(client.as_str()),
            Target::Key(kid) => facts.kid == Some(kid),
            Target::Everything => true,
        },
        ChangeKind::SubjectChanged { subject, .. } => facts.subject == Some(subject),
        ChangeKind::SessionChanged { sid } => facts.sid == Some(*sid),
        ChangeKind::KeysChanged { .. } => facts.kid.is_some(),
        ChangeKind::AppChanged { app } => facts.app == Some(&app.id),
    }
}
