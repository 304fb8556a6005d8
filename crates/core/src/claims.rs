//! The claims of misario's access tokens (RFC 9068, with four of its own).
//!
//! | claim | what | source |
//! |---|---|---|
//! | `iss` `aud` `sub` `exp` `iat` `jti` `client_id` | as registered; `client_id` is the app for a person's login | RFC 9068 §2.2 |
//! | `auth_time` `amr` `roles` `scope` | as registered | RFC 9068 §2.2 |
//! | `sid` | the login's handle, in every mode | OIDC Front-Channel Logout |
//! | `permissions` `org` | as granted | |
//! | `pos` | the log position read before the token was decided: what revokes is compared with it | |
//! | `cv` | the version of the app's claim contract | |
//! | `login_exp` | the absolute end of the login; renewal never moves it | |
//! | `trn` | the transport of the login, so that renewal without state keeps it | |
//! | `rg` | the refresh token generation it came with: seen in use, it tells that the response arrived | |

use misario_jose::UnixTime;
use serde::{Deserialize, Serialize};

use crate::app::Transport;
use crate::changes::Position;
use crate::id::{SessionId, Subject};
use crate::refresh::Generation;

/// The `typ` of an access token (RFC 9068 §2.1).
pub const ACCESS_TYP: &str = "at+jwt";

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Issuer.
    pub iss: String,
    /// Audience: one app's.
    pub aud: String,
    /// Who it speaks for: a user, or the client itself.
    pub sub: Subject,
    /// The app a person logged in to, or the client that got the token for itself.
    pub client_id: String,
    /// When it was made.
    pub iat: UnixTime,
    /// When it ends.
    pub exp: UnixTime,
    /// Its own handle.
    pub jti: String,
    /// The log position read before the token was decided.
    pub pos: Position,
    /// The version of the claim contract.
    pub cv: u32,
    /// The login; absent for a client's own token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// When the user last proved who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<UnixTime>,
    /// How they did (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// Roles in the app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Permissions in the app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// Scopes, separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// The absolute end of the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_exp: Option<UnixTime>,
    /// The login's transport.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trn: Option<Transport>,
    /// The refresh token generation it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rg: Option<Generation>,
}
