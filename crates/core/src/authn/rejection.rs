//! Why a request is refused, nested by who is at fault. Precise here, coarse on the wire (each host has one mapping).

use misario_jose::JwtError;

use super::csrf::CsrfFault;
use crate::secret::SecretError;

/// Why a request got no [`super::Permit`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The request itself cannot be judged.
    #[error(transparent)]
    Request(#[from] RequestFault),
    /// There is no credential that counts.
    #[error(transparent)]
    Credential(#[from] CredentialFault),
    /// The credential counts, but not for this.
    #[error(transparent)]
    Forbidden(#[from] ForbiddenFault),
    /// It cannot be told at the moment. Never a logout.
    #[error(transparent)]
    Unavailable(#[from] UnavailableFault),
}

/// The request itself cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestFault {
    /// A header that must be one is several.
    #[error("header {name} is there more than once")]
    HeaderRepeated {
        /// Which.
        name: &'static str,
    },
    /// A header holds octets it cannot hold.
    #[error("header {name} is malformed")]
    HeaderMalformed {
        /// Which.
        name: &'static str,
    },
    /// A credential is longer than any of ours.
    #[error("the credential has {size} octets, more than {limit}")]
    CredentialOversized {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Two cookies have one of our names.
    #[error("two cookies of one name")]
    CookieDuplicate,
    /// Two live access credentials belong to different logins.
    #[error("two live credentials of different logins")]
    CredentialsConflict,
    /// Nothing tells which app is meant.
    #[error("nothing tells which app is meant: send the Misario-App header")]
    AppAmbiguous,
    /// There is no such app.
    #[error("no such app")]
    AppUnknown,
}

/// There is no credential that counts.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialFault {
    /// None was shown, or none in a transport the app lists.
    #[error("no credential was shown in a transport of the app")]
    Missing,
    /// It is neither a session token nor a JWT.
    #[error("the credential has no form of ours")]
    Unrecognised,
    /// A JWT did not pass.
    #[error("{error}")]
    Jwt {
        /// Which check failed.
        error: JwtError,
    },
    /// A session token was not made here.
    #[error("{error}")]
    Secret {
        /// Which check failed.
        error: SecretError,
    },
    /// A JWT that was signed here holds claims that were not written here.
    #[error("the token's claims are not of the form that this issuer writes")]
    ClaimsMalformed,
    /// There is no such login, or the token was rotated away.
    #[error("no login has this session token")]
    SessionUnknown,
    /// The login was not used for too long.
    #[error("the login was not used for longer than its idle time")]
    SessionIdle,
    /// The login reached its absolute end.
    #[error("the login reached its absolute end")]
    SessionEnded,
    /// The login, its user, app, key, or everything was revoked.
    #[error("revoked")]
    Revoked,
    /// The user is disabled.
    #[error("the user is disabled")]
    UserDisabled,
    /// The user's roles changed after the token was made; a refresh brings a token that counts.
    #[error("the token was made before the user's roles changed: refresh it")]
    Stale,
    /// The login belongs to another app.
    #[error("the login belongs to another app")]
    OtherApp,
}

/// The credential counts, but not for this.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ForbiddenFault {
    /// None of the roles asked for.
    #[error("the user has none of the roles that the route asks for")]
    RoleMissing,
    /// A permission is missing.
    #[error("the user lacks a permission that the route asks for")]
    PermissionMissing,
    /// A scope is missing.
    #[error("the token lacks a scope that the route asks for")]
    ScopeMissing,
    /// The user proved who they are too long ago (RFC 9470).
    #[error("the user has to prove again who they are (max_age {max_age} s)")]
    AuthenticationTooOld {
        /// How old it may be, in seconds.
        max_age: u64,
    },
    /// A request with a cookie did not prove that the app sent it.
    #[error("{fault}")]
    Csrf {
        /// What was missing or wrong.
        fault: CsrfFault,
    },
}

/// It cannot be told at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnavailableFault {
    /// The replica holds no lease, and the authority does not answer.
    #[error("no lease, and the authority does not answer")]
    LeaseExpired,
    /// The authority has to be asked and does not answer.
    #[error("the authority does not answer")]
    Authority,
    /// The store does not answer.
    #[error("the store does not answer ({code})")]
    Store {
        /// The store's own code.
        code: &'static str,
    },
}

impl Rejection {
    /// Code and meaning of each rejection that is not passed on from below, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("header_repeated", "A header that must be one is several (400)."),
        ("header_malformed", "A header holds octets that it cannot hold (400)."),
        ("credential_oversized", "A credential is longer than any of ours (431)."),
        ("cookie_duplicate", "Two cookies have one of our names (400)."),
        ("credentials_conflict", "Two live credentials of different logins (400)."),
        ("app_ambiguous", "Nothing tells which app is meant (400)."),
        ("app_unknown", "There is no such app (400)."),
        ("credential_missing", "No credential in a transport of the app (401)."),
        ("credential_unrecognised", "The credential has no form of ours (401)."),
        ("claims_malformed", "A token signed here holds claims not written here (401)."),
        ("session_unknown", "No login has this session token (401)."),
        ("session_idle", "The login was not used for longer than its idle time (401)."),
        ("session_ended", "The login reached its absolute end (401)."),
        ("credential_revoked", "The login, its user, app, key, or everything was revoked (401)."),
        ("user_disabled", "The user is disabled (401)."),
        ("token_stale", "The token was made before the user's roles changed; a refresh helps (401)."),
        ("app_mismatch", "The login belongs to another app (401)."),
        ("role_missing", "The user has none of the roles asked for (403)."),
        ("permission_missing", "The user lacks a permission asked for (403)."),
        ("scope_missing", "The token lacks a scope asked for (403)."),
        ("authentication_too_old", "The user has to prove again who they are (401)."),
        ("csrf_token_missing", "A request with a cookie needs a CSRF token and shows none (403)."),
        ("csrf_token_invalid", "The CSRF token is not of this login (403)."),
        ("csrf_cross_site", "A request with a cookie came from another site (403)."),
        ("lease_expired", "No lease, and the authority does not answer (503)."),
        ("authority_unavailable", "The authority has to be asked and does not answer (503)."),
    ];

    /// The stable code: in logs, metrics, audit and console.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(fault) => fault.code(),
            Self::Credential(fault) => fault.code(),
            Self::Forbidden(fault) => fault.code(),
            Self::Unavailable(fault) => fault.code(),
        }
    }

    /// Whether a refresh may turn the request into an accepted one: the login lives, its access credential does not.
    pub fn is_renewable(&self) -> bool {
        match self {
            Self::Credential(CredentialFault::Stale) => true,
            Self::Credential(CredentialFault::Jwt { error }) => error.is_expired(),
            _ => false,
        }
    }

    /// Whether the request simply has no login behind it: it can be judged, and no refresh would change the answer.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Credential(_)) && !self.is_renewable()
    }
}

impl RequestFault {
    const fn code(&self) -> &'static str {
        match self {
            Self::HeaderRepeated { .. } => "header_repeated",
            Self::HeaderMalformed { .. } => "header_malformed",
            Self::CredentialOversized { .. } => "credential_oversized",
            Self::CookieDuplicate => "cookie_duplicate",
            Self::CredentialsConflict => "credentials_conflict",
            Self::AppAmbiguous => "app_ambiguous",
            Self::AppUnknown => "app_unknown",
        }
    }
}

impl CredentialFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "credential_missing",
            Self::Unrecognised => "credential_unrecognised",
            Self::Jwt { error } => error.code(),
            Self::Secret { error } => error.code(),
            Self::ClaimsMalformed => "claims_malformed",
            Self::SessionUnknown => "session_unknown",
            Self::SessionIdle => "session_idle",
            Self::SessionEnded => "session_ended",
            Self::Revoked => "credential_revoked",
            Self::UserDisabled => "user_disabled",
            Self::Stale => "token_stale",
            Self::OtherApp => "app_mismatch",
        }
    }
}

impl ForbiddenFault {
    const fn code(&self) -> &'static str {
        match self {
            Self::RoleMissing => "role_missing",
            Self::PermissionMissing => "permission_missing",
            Self::ScopeMissing => "scope_missing",
            Self::AuthenticationTooOld { .. } => "authentication_too_old",
            Self::Csrf { fault } => fault.code(),
        }
    }
}

impl UnavailableFault {
    const fn code(&self) -> &'static str {
        match self {
            Self::LeaseExpired => "lease_expired",
            Self::Authority => "authority_unavailable",
            Self::Store { code } => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use misario_jose::UnixTime;

    use super::*;

    /// Whoever only has to refresh is no visitor: an optional login would hide from their client that it has to.
    #[test]
    fn a_login_that_wants_a_refresh_is_not_nobody() {
        let (expired_at, now) = (UnixTime::from_secs(1), UnixTime::from_secs(2));
        for (fault, is_anonymous) in [
            (CredentialFault::Missing, true),
            (CredentialFault::Revoked, true),
            (CredentialFault::SessionEnded, true),
            (CredentialFault::Jwt { error: JwtError::SignatureInvalid }, true),
            (CredentialFault::Jwt { error: JwtError::Expired { expired_at, now } }, false),
            (CredentialFault::Stale, false),
        ] {
            assert_eq!(Rejection::from(fault.clone()).is_anonymous(), is_anonymous, "{fault:?}");
        }
        assert!(!Rejection::from(RequestFault::CookieDuplicate).is_anonymous());
    }
}
