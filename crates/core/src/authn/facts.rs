//! What a credential tells, once it counts.

use misario_jose::UnixTime;
use serde::{Deserialize, Serialize};

use crate::app::Transport;
use crate::changes::Position;
use crate::claims::AccessClaims;
use crate::id::{AppId, SessionId, Subject};
use crate::refresh::Generation;
use crate::session::Session;

/// Who a credential speaks for and how long it may be believed: the same for a session token and for a JWT. This is
/// what caches hold and what the authority answers a replica with; no secret is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What form of credential told it.
    pub kind: Kind,
    /// The app it counts for.
    pub app: AppId,
    /// Who it speaks for.
    pub subject: Subject,
    /// Absent for a client's own token.
    pub sid: Option<SessionId>,
    /// The client, where a client speaks for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The login's transport.
    pub transport: Transport,
    /// The position that revocations are compared with.
    pub issued: Position,
    /// The position that changes of roles are compared with.
    pub claims_at: Position,
    /// Roles in the app.
    pub roles: Vec<String>,
    /// Permissions in the app.
    pub permissions: Vec<String>,
    /// Scopes.
    pub scopes: Vec<String>,
    /// The organisation.
    pub org: Option<String>,
    /// How the user proved who they are.
    pub amr: Vec<String>,
    /// When they last did.
    pub auth_time: Option<UnixTime>,
    /// The absolute end of the login.
    pub login_exp: Option<UnixTime>,
    /// From here on these facts may not be believed any more: the end of the token, or the idle deadline of the
    /// session as last known, at which the authority is asked again.
    pub deadline: UnixTime,
    /// When the credential began: `iat`, or the session's creation. With `deadline` it tells half its life.
    pub begun: UnixTime,
    /// Seconds of idle time, for the throttling of last-seen reports; 0: none are wanted.
    pub idle: u64,
    /// The token's own handle.
    pub jti: Option<String>,
    /// The key that signed it.
    pub kid: Option<String>,
    /// The refresh token generation it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
}

/// Forms of access credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A session token: a record stands behind it.
    Session,
    /// A JWT.
    Jwt,
}

impl Facts {
    /// What the session tells to whoever holds its token.
    pub fn of_session(session: &Session) -> Self {
        Self {
            kind: Kind::Session,
            app: session.app.clone(),
            subject: session.subject.clone(),
            sid: Some(session.sid),
            client: None,
            transport: session.transport,
            issued: session.issued,
            claims_at: session.grant_at,
            roles: session.grant.roles.clone(),
            permissions: session.grant.permissions.clone(),
            scopes: Vec::new(),
            org: session.org.clone(),
            amr: session.amr.clone(),
            auth_time: Some(session.auth_time),
            login_exp: Some(session.login_exp),
            deadline: session.idle_deadline(),
            begun: session.created,
            idle: session.idle,
            jti: None,
            kid: None,
            generation: None,
        }
    }

    /// What the claims of a verified access token for `app` tell.
    pub fn of_claims(claims: AccessClaims, app: AppId, kid: Option<&str>) -> Self {
        let scopes = claims.scope.as_deref().unwrap_or_default();
        Self {
            kind: Kind::Jwt,
            app,
            subject: claims.sub,
            sid: claims.sid,
            // A person's token names the app as its client (RFC 9068 demands the claim); it is nobody's own token.
            client: claims.sid.is_none().then_some(claims.client_id),
            transport: claims.trn.unwrap_or(Transport::Bearer),
            issued: claims.pos,
            claims_at: claims.pos,
            roles: claims.roles,
            permissions: claims.permissions,
            scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
            org: claims.org,
            amr: claims.amr,
            auth_time: claims.auth_time,
            login_exp: claims.login_exp,
            deadline: claims.exp,
            begun: claims.iat,
            idle: 0,
            jti: Some(claims.jti),
            kid: kid.map(str::to_owned),
            generation: claims.rg,
        }
    }

    /// Whether a use at `now` is worth noting: the last one that these facts know of is a twentieth of the idle time ago,
    /// at least a second. Noting takes a lock that all requests share.
    pub fn wants_touch(&self, now: UnixTime) -> bool {
        self.idle > 0 && now.saturating_add(self.idle).secs_since(self.deadline) >= (self.idle / 20).max(1)
    }

    /// Whether half of the credential's life is over, which is when a cookie is renewed in passing.
    pub fn half_spent(&self, now: UnixTime) -> bool {
        now.secs_since(self.begun) * 2 >= self.deadline.secs_since(self.begun)
    }
}
