//! The record behind a login in `session` and `hybrid`.
//!
//! Whether it counts is decided when it is read, from its state and `now`, never from "the row exists"
//! ([`Session::state`]).

use misario_jose::UnixTime;
use serde::{Deserialize, Serialize};

use crate::app::Transport;
use crate::changes::Position;
use crate::id::{AppId, SessionId, Subject};
use crate::refresh::TokenFamily;
use crate::secret::TokenDigest;
use crate::user::Grant;

/// A login with a record at the authority.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The login's public handle.
    pub sid: SessionId,
    /// What was logged in to.
    pub app: AppId,
    /// Who logged in.
    pub subject: Subject,
    /// Where its credentials travel.
    pub transport: Transport,
    /// The log position read before the sign-in was decided. What fences the login off is compared with this.
    pub issued: Position,
    /// When the login began.
    pub created: UnixTime,
    /// The monotonic clock of the node where it began, then, in milliseconds: orders logins of one second.
    #[serde(default)]
    pub created_tick: u64,
    /// When the user last proved who they are; moves on at step-up.
    pub auth_time: UnixTime,
    /// The end of the login, however much it is used.
    pub login_exp: UnixTime,
    /// Seconds without use after which the login ends.
    pub idle: u64,
    /// The last use, exact to the throttling of its writes.
    pub last_seen: UnixTime,
    /// What the user may do in the app.
    pub grant: Grant,
    /// The log position read before `grant` was read.
    pub grant_at: Position,
    /// How the user proved who they are (RFC 8176 values).
    #[serde(default)]
    pub amr: Vec<String>,
    /// The claim `org`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// What the login was made from, to tell one's logins apart.
    #[serde(default)]
    pub device: Device,
    /// The secret that every token of this login is derived from, sealed; see [`crate::secret::LoginSeed`].
    pub seed: SealedSeed,
    /// Which derived session token counts; absent: none was handed out yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SessionTokenState>,
    /// The refresh tokens of this login; absent: none was handed out yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<TokenFamily>,
    /// What the app keeps with the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("sid", &self.sid).field("app", &self.app).finish_non_exhaustive()
    }
}

/// The session token of a login that counts: which generation, and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTokenState {
    /// The number it is derived with; rotation raises it, and the token before is dead at once.
    pub generation: u32,
    /// Its keyed digest.
    pub digest: TokenDigest,
}

/// A sealed [`crate::secret::LoginSeed`]: key id and ciphertext, base64url.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSeed {
    /// The token key it is sealed with and its tokens are derived with.
    pub key: u32,
    /// Nonce, ciphertext and tag.
    pub sealed: String,
}

/// What a login was made from. Nothing here is believed; it only helps a person to tell their logins apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// A short description made from the user agent, at most 120 octets.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The network of the address (`/24`, `/48`), never the address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub network: String,
}

/// Whether a login still counts by its own times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// It does.
    Live,
    /// It was not used for too long.
    Idle,
    /// It reached its absolute end.
    Ended,
}

impl Session {
    /// Whether the login still counts by its own times at `now`; revocations and fences are looked at elsewhere.
    pub fn state(&self, now: UnixTime) -> SessionState {
        if now >= self.login_exp {
            SessionState::Ended
        } else if now >= self.idle_deadline() {
            SessionState::Idle
        } else {
            SessionState::Live
        }
    }

    /// When the login ends if it is not used any more.
    pub fn idle_deadline(&self) -> UnixTime {
        self.last_seen.saturating_add(self.idle).min(self.login_exp)
    }

    /// Whether `last_seen` is old enough to be written again: a twentieth of the idle time, at least a second. A verifier
    /// leaves out as much again ([`crate::authn::Facts::wants_touch`]), so the idle time is exact to a tenth.
    pub fn wants_touch(&self, now: UnixTime) -> bool {
        now.secs_since(self.last_seen) >= (self.idle / 20).max(1)
    }
}
