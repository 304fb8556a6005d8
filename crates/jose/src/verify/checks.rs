//! The checks of the claims, one function each, in their order.

use std::borrow::Cow;

use crate::claims::Claims;
use crate::json::Kind;
use crate::{JwtError, UnixTime};

use super::ClaimRules;

/// When the check happens, and how long ago a token may have expired.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expiry {
    pub(crate) now: UnixTime,
    window: u64,
}

impl Expiry {
    pub(crate) const fn strict(now: UnixTime) -> Self {
        Self { now, window: 0 }
    }

    pub(crate) const fn within(now: UnixTime, window: u64) -> Self {
        Self { now, window }
    }
}

/// One check of the claims.
pub(crate) type ClaimCheck = fn(&ClaimRules, &Claims<'_>, Expiry) -> Result<(), JwtError>;

/// All checks of the claims, with the names they have in explanations. The expiry itself is last: a client that is
/// told "expired" refreshes, and must not be sent to do so by a token that would be refused anyway.
pub(crate) const CLAIM_CHECKS: &[(&str, ClaimCheck)] = &[
    ("exp", exp),
    ("iat", iat),
    ("nbf", nbf),
    ("iss", iss),
    ("aud", aud),
    ("sub", sub),
    ("jti", jti),
    ("required", required),
    ("lifetime", lifetime),
    ("expiry", expiry),
];

fn exp(_: &ClaimRules, claims: &Claims<'_>, _: Expiry) -> Result<(), JwtError> {
    expires(claims).map(|_| ())
}

fn iat(rules: &ClaimRules, claims: &Claims<'_>, expiry: Expiry) -> Result<(), JwtError> {
    match claims.issued_at.clone()? {
        Some(issued_at) if issued_at > expiry.now.saturating_add(rules.leeway) => {
            Err(JwtError::IssuedInFuture { issued_at, now: expiry.now })
        }
        None if rules.max_ttl.is_some() => Err(missing("iat")),
        _ => Ok(()),
    }
}

fn nbf(rules: &ClaimRules, claims: &Claims<'_>, expiry: Expiry) -> Result<(), JwtError> {
    match claims.not_before.clone()? {
        Some(not_before) if not_before > expiry.now.saturating_add(rules.leeway) => {
            Err(JwtError::NotYetValid { not_before, now: expiry.now })
        }
        _ => Ok(()),
    }
}

fn iss(rules: &ClaimRules, claims: &Claims<'_>, _: Expiry) -> Result<(), JwtError> {
    let issuer = claims.issuer.as_ref().map_err(JwtError::clone)?;
    match (rules.issuer.exactly(), issuer) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(missing("iss")),
        (Some(expected), Some(issuer)) if issuer == expected => Ok(()),
        (Some(_), Some(_)) => Err(JwtError::IssuerMismatch),
    }
}

fn aud(rules: &ClaimRules, claims: &Claims<'_>, _: Expiry) -> Result<(), JwtError> {
    let audience = claims.audience.as_ref().map_err(JwtError::clone)?;
    match (rules.audience.exactly(), audience) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(missing("aud")),
        (Some(expected), Some(audience)) if audience.contains(expected) => Ok(()),
        (Some(_), Some(audience)) if rules.former_audiences.iter().any(|former| audience.contains(former)) => Ok(()),
        (Some(_), Some(_)) => Err(JwtError::AudienceMismatch),
    }
}

fn sub(_: &ClaimRules, claims: &Claims<'_>, _: Expiry) -> Result<(), JwtError> {
    claims.subject.as_ref().map(|_| ()).map_err(JwtError::clone)
}

fn jti(_: &ClaimRules, claims: &Claims<'_>, _: Expiry) -> Result<(), JwtError> {
    claims.jwt_id.as_ref().map(|_| ()).map_err(JwtError::clone)
}

fn required(rules: &ClaimRules, claims: &Claims<'_>, _: Expiry) -> Result<(), JwtError> {
    let given = |claim: &str| claims.object().get(claim).is_some_and(|value| value.kind() != Kind::Null);
    match rules.required.iter().find(|claim| !given(claim)) {
        Some(claim) => Err(JwtError::ClaimMissing { claim: Cow::Owned(claim.to_string()) }),
        None => Ok(()),
    }
}

fn lifetime(rules: &ClaimRules, claims: &Claims<'_>, _: Expiry) -> Result<(), JwtError> {
    let expires = expires(claims)?;
    let Some(issued_at) = claims.issued_at.clone()? else {
        return Ok(());
    };
    if expires <= issued_at {
        return Err(JwtError::ExpiresBeforeIssued);
    }
    let lifetime = expires.secs_since(issued_at);
    match rules.max_ttl {
        Some(limit) if lifetime > limit => Err(JwtError::LifetimeTooLong { lifetime, limit }),
        _ => Ok(()),
    }
}

/// RFC 7519 §4.1.4: "the current date/time MUST be before the expiration date/time".
fn expiry(rules: &ClaimRules, claims: &Claims<'_>, expiry: Expiry) -> Result<(), JwtError> {
    let expired_at = expires(claims)?;
    let grace = rules.leeway.max(expiry.window);
    if expiry.now < expired_at.saturating_add(grace) {
        Ok(())
    } else {
        Err(JwtError::Expired { expired_at, now: expiry.now })
    }
}

fn expires(claims: &Claims<'_>) -> Result<UnixTime, JwtError> {
    claims.expires.clone()?.ok_or(missing("exp"))
}

const fn missing(claim: &'static str) -> JwtError {
    JwtError::ClaimMissing { claim: Cow::Borrowed(claim) }
}
