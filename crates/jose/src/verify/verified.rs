//! The proof that a token was verified.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use crate::claims::Claims;
use crate::{Algorithm, JwtError, UnixTime};

/// A token that passed every check of a [`Verifier`](crate::Verifier), which alone can make one.
///
/// It lives as long as the scratch it was verified in is left alone.
pub struct VerifiedJwt<'s> {
    algorithm: Algorithm,
    kid: Option<&'s str>,
    payload: &'s [u8],
    issuer: Option<Cow<'s, str>>,
    subject: Option<Cow<'s, str>>,
    jwt_id: Option<Cow<'s, str>>,
    expires: UnixTime,
    issued_at: Option<UnixTime>,
}

impl<'s> VerifiedJwt<'s> {
    pub(super) fn new(algorithm: Algorithm, kid: Option<&'s str>, claims: Claims<'s>) -> Result<Self, JwtError> {
        Ok(Self {
            algorithm,
            kid,
            payload: claims.object().text().as_bytes(),
            issuer: claims.issuer?,
            subject: claims.subject?,
            jwt_id: claims.jwt_id?,
            expires: claims.expires?.unwrap_or_default(),
            issued_at: claims.issued_at?,
        })
    }

    pub(super) const fn without_claims(algorithm: Algorithm, kid: Option<&'s str>, payload: &'s [u8]) -> Self {
        Self {
            algorithm,
            kid,
            payload,
            issuer: None,
            subject: None,
            jwt_id: None,
            expires: UnixTime::from_secs(0),
            issued_at: None,
        }
    }

    /// The id of the key that the signature was checked with.
    pub const fn kid(&self) -> Option<&'s str> {
        self.kid
    }

    /// The algorithm of the signature.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The issuer; empty when none was expected and none is named.
    pub fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or_default()
    }

    /// The subject, not empty and without control characters.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The moment from which the token no longer counts; the epoch when claims were not judged.
    pub const fn expires(&self) -> UnixTime {
        self.expires
    }

    /// The moment of issue, when the token names one.
    pub const fn issued_at(&self) -> Option<UnixTime> {
        self.issued_at
    }

    /// The token's own id, when it has one.
    pub fn jwt_id(&self) -> Option<&str> {
        self.jwt_id.as_deref()
    }

    /// The payload; a strict JSON object, unless claims were not judged.
    pub const fn payload_json(&self) -> &'s [u8] {
        self.payload
    }

    /// The payload read as `T`.
    ///
    /// # Errors
    /// `jwt_claims_unreadable` when it does not fit.
    pub fn claims<T: Deserialize<'s>>(&self) -> Result<T, JwtError> {
        serde_json::from_slice(self.payload).map_err(|_| JwtError::ClaimsUnreadable)
    }
}

impl fmt::Debug for VerifiedJwt<'_> {
    /// Shows what names the token, not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJwt")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
