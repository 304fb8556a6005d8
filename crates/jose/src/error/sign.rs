//! Why a token is not signed.

use crate::JsonError;

/// Why a token is not signed. Nothing is issued that [`Verifier`](crate::Verifier) could not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The claims cannot be turned into JSON.
    #[error("the claims cannot be turned into JSON")]
    ClaimsUnserializable,
    /// The claims' JSON is not one that verifiers accept.
    #[error("the claims' JSON {problem}")]
    ClaimsRefused {
        /// What is wrong with it.
        problem: JsonError,
    },
    /// The token would be larger than verifiers accept.
    #[error("the token would have {size} octets, more than {limit}")]
    TooLarge {
        /// Octets the token would have.
        size: usize,
        /// Octets allowed.
        limit: usize,
    },
    /// The cryptographic library refused to sign.
    #[error("the cryptographic library refused to sign")]
    Backend,
}

impl SignError {
    /// Every code with its meaning for an operator.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("sign_claims_unserializable", "The claims cannot be turned into JSON."),
        ("sign_claims_refused", "The claims are not an object that a strict verifier accepts."),
        ("sign_too_large", "The token would be larger than 16 KiB."),
        ("sign_backend", "The cryptographic library refused to sign."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ClaimsUnserializable => "sign_claims_unserializable",
            Self::ClaimsRefused { .. } => "sign_claims_refused",
            Self::TooLarge { .. } => "sign_too_large",
            Self::Backend => "sign_backend",
        }
    }
}
