//! The one table from rejections to what clients are told.
//!
//! Nested as the rejections are, by who is at fault; a rejection that a later core adds is told as its whole class is.

use http::{HeaderValue, StatusCode};
use misario_core::authn::{CredentialFault, ForbiddenFault, Rejection, RequestFault};

/// The codes that clients see, and what each asks of them.
pub const CODES: &[(&str, &str)] = &[
    ("invalid_request", "A header is malformed or there is twice (400). Send it once."),
    ("cookie_duplicate", "Two cookies have one name (400). Clear the site's cookies."),
    ("credentials_conflict", "Two live credentials of different logins (400). Send one, or log out."),
    ("app_ambiguous", "Nothing tells which app is meant (400). Send the Misario-App header."),
    ("app_unknown", "There is no such app (400)."),
    ("credential_too_large", "A credential is longer than any of ours (431)."),
    ("credential_missing", "No credential was shown (401). Sign in."),
    ("token_expired", "The access token has ended (401). Refresh once, and try again."),
    ("token_stale", "The user's roles changed since (401). Refresh once, and try again."),
    ("invalid_token", "The credential does not count (401). Sign in."),
    ("insufficient_user_authentication", "The user has to prove again who they are (401)."),
    ("insufficient_scope", "The token lacks a scope (403)."),
    ("forbidden", "The user lacks a role or permission (403)."),
    ("csrf_required", "A request with a cookie did not prove where it came from (403). Send a token from /v1/csrf."),
    ("login_required", "A client's own token was shown where a person's login is needed (403)."),
    ("unavailable", "It cannot be told at the moment (503). Wait a second and try again; nobody was logged out."),
    ("form_too_large", "The form is larger than 64 KiB (413)."),
    ("form_malformed", "The form cannot be read (400)."),
    ("body_too_large", "The body is larger than 64 KiB (413)."),
    ("internal", "The service is put together wrongly (500)."),
];

/// A rejection as clients see it.
pub(super) struct Public {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) challenge: Option<HeaderValue>,
}

impl Public {
    const fn plain(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, challenge: None }
    }

    /// RFC 6750 §3: the scheme must be followed by at least one parameter; hence the realm.
    fn challenged(status: StatusCode, code: &'static str, challenge: &'static str) -> Self {
        Self { status, code, challenge: Some(HeaderValue::from_static(challenge)) }
    }
}

pub(super) fn of(rejection: &Rejection) -> Public {
    match rejection {
        Rejection::Request(fault) => of_request(fault),
        Rejection::Credential(fault) => of_credential(fault),
        Rejection::Forbidden(fault) => of_forbidden(fault),
        // Whatever cannot be told is never told as a refusal of the credential.
        Rejection::Unavailable(_) | _ => Public::plain(StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    }
}

fn of_request(fault: &RequestFault) -> Public {
    let (status, code) = match fault {
        RequestFault::CredentialOversized { .. } => {
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "credential_too_large")
        }
        RequestFault::CookieDuplicate => (StatusCode::BAD_REQUEST, "cookie_duplicate"),
        RequestFault::CredentialsConflict => (StatusCode::BAD_REQUEST, "credentials_conflict"),
        RequestFault::AppAmbiguous => (StatusCode::BAD_REQUEST, "app_ambiguous"),
        RequestFault::AppUnknown => (StatusCode::BAD_REQUEST, "app_unknown"),
        RequestFault::HeaderRepeated { .. } | RequestFault::HeaderMalformed { .. } | _ => {
            (StatusCode::BAD_REQUEST, "invalid_request")
        }
    };
    Public::plain(status, code)
}

/// Expired and stale are told apart because a client can do something about them, and they are known only of a token
/// whose signature was right; everything else is one answer, so that nobody learns by trying which part was wrong.
fn of_credential(fault: &CredentialFault) -> Public {
    let (code, challenge) = match fault {
        // RFC 6750 §3.1: a request without any credential SHOULD NOT be told an error code.
        CredentialFault::Missing => ("credential_missing", r#"Bearer realm="misario""#),
        CredentialFault::Stale => {
            ("token_stale", r#"Bearer realm="misario", error="invalid_token", error_description="stale""#)
        }
        CredentialFault::Jwt { error } if error.is_expired() => {
            ("token_expired", r#"Bearer realm="misario", error="invalid_token", error_description="expired""#)
        }
        _ => ("invalid_token", r#"Bearer realm="misario", error="invalid_token""#),
    };
    Public::challenged(StatusCode::UNAUTHORIZED, code, challenge)
}

fn of_forbidden(fault: &ForbiddenFault) -> Public {
    match fault {
        ForbiddenFault::AuthenticationTooOld { max_age } => step_up(*max_age),
        ForbiddenFault::ScopeMissing => Public::challenged(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            r#"Bearer realm="misario", error="insufficient_scope""#,
        ),
        ForbiddenFault::Csrf { .. } => Public::plain(StatusCode::FORBIDDEN, "csrf_required"),
        ForbiddenFault::RoleMissing | ForbiddenFault::PermissionMissing | _ => {
            Public::plain(StatusCode::FORBIDDEN, "forbidden")
        }
    }
}

/// RFC 9470 §3: the challenge names the oldest authentication that will do.
fn step_up(max_age: u64) -> Public {
    let code = "insufficient_user_authentication";
    let challenge = format!(r#"Bearer realm="misario", error="{code}", max_age="{max_age}""#);
    Public { status: StatusCode::UNAUTHORIZED, code, challenge: HeaderValue::from_str(&challenge).ok() }
}
