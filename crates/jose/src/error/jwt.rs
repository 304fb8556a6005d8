//! Why a token is refused.

use std::borrow::Cow;
use std::fmt;

use crate::{Algorithm, JsonError, KeyId, UnixTime};

/// Which of a token's three parts is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first part.
    Header,
    /// The second part.
    Claims,
    /// The third part.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Claims => "payload",
            Self::Signature => "signature",
        })
    }
}

/// What is wrong with the value of a claim that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimProblem {
    /// It has the wrong JSON type.
    WrongType,
    /// It is a number, but negative or above 2^53.
    OutOfRange,
    /// It is a string, but empty.
    Empty,
    /// It is a string with control characters.
    ControlCharacters,
}

impl fmt::Display for ClaimProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongType => "has the wrong JSON type",
            Self::OutOfRange => "is negative or above 2^53",
            Self::Empty => "is empty",
            Self::ControlCharacters => "has control characters",
        })
    }
}

/// Why a token is refused. It never carries the token, and of the claims at most times and names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// The token is larger than a token is read.
    #[error("the token has {size} octets, more than {limit}")]
    TooLarge {
        /// Octets shown.
        size: usize,
        /// Octets allowed.
        limit: usize,
    },
    /// The token has not three parts; five are an encrypted token.
    #[error("the token has {segments} parts instead of 3")]
    MalformedSegments {
        /// Parts shown; counting stops at 6.
        segments: usize,
    },
    /// A character is not one of base64url.
    #[error("the token has a character outside base64url at octet {position}")]
    MalformedCharacter {
        /// Where it stands.
        position: usize,
    },
    /// A part is not canonical base64url.
    #[error("the token's {part} is not canonical base64url")]
    MalformedBase64 {
        /// The part.
        part: Part,
    },
    /// A part is not a strict JSON object.
    #[error("the token's {part} {problem}")]
    MalformedJson {
        /// The part.
        part: Part,
        /// What is wrong with it.
        problem: JsonError,
    },
    /// A header member is missing or of the wrong type.
    #[error("the header's member \"{member}\" is missing or malformed")]
    MalformedHeader {
        /// The member.
        member: &'static str,
    },
    /// The header's `kid` is not 1 to 128 printable ASCII characters.
    #[error("the header's kid is not 1 to {} printable ASCII characters", KeyId::MAX_LEN)]
    KidInvalid,
    /// The header demands extensions (`crit`); none is understood here.
    #[error("the header demands extensions that are not understood")]
    CritUnsupported,
    /// The header has `b64`, which must not be used with JWT (RFC 7797 §7).
    #[error("the header asks for an unencoded payload")]
    UnencodedPayload,
    /// The header has `zip`, which is defined for encryption only.
    #[error("the header asks for decompression")]
    Compressed,
    /// The payload is another token (`cty`).
    #[error("the payload is a nested token")]
    Nested,
    /// The header brings its own key or says where to fetch one.
    #[error("the header's member \"{member}\" offers a key of the sender's choice")]
    EmbeddedKey {
        /// The member.
        member: &'static str,
    },
    /// The token is not signed (`alg: none`).
    #[error("the token is not signed")]
    AlgorithmNone,
    /// The token's algorithm is not supported.
    #[error("the token's algorithm is not supported")]
    AlgorithmUnsupported,
    /// The token's algorithm is not one of those expected.
    #[error("the token's algorithm {algorithm} is not one of those expected")]
    AlgorithmNotAllowed {
        /// The token's algorithm.
        algorithm: Algorithm,
    },
    /// No key has the token's `kid`.
    #[error("no key has the token's key id")]
    KeyUnknown,
    /// The token names no key, and several could be meant.
    #[error("the token names no key and several could be meant")]
    KeyAmbiguous,
    /// The key that the token names is for another algorithm.
    #[error("the key that the token names is for {key}, not {token}")]
    KeyAlgorithmMismatch {
        /// The algorithm of the key.
        key: Algorithm,
        /// The algorithm of the token.
        token: Algorithm,
    },
    /// The signature has not the length its algorithm demands.
    #[error("the signature has {size} octets instead of {expected}")]
    SignatureLength {
        /// Octets shown.
        size: usize,
        /// Octets demanded.
        expected: usize,
    },
    /// The signature was not made over this token with this key.
    #[error("the signature does not match")]
    SignatureInvalid,
    /// The header has no `typ`.
    #[error("the token has no typ")]
    TypMissing,
    /// The token is of another kind.
    #[error("the token is of another kind than expected")]
    TypMismatch,
    /// A claim that has to be there is not.
    #[error("the claim \"{claim}\" is missing")]
    ClaimMissing {
        /// The claim.
        claim: Cow<'static, str>,
    },
    /// A claim is there, but not of the form it has to have; it never counts as missing.
    #[error("the claim \"{claim}\" {problem}")]
    ClaimMalformed {
        /// The claim.
        claim: &'static str,
        /// What is wrong with it.
        problem: ClaimProblem,
    },
    /// The token was issued by another issuer.
    #[error("the token was issued by another issuer")]
    IssuerMismatch,
    /// The token is meant for another audience.
    #[error("the token is meant for another audience")]
    AudienceMismatch,
    /// The token says it was issued in the future.
    #[error("the token says it was issued in the future")]
    IssuedInFuture {
        /// The token's `iat`.
        issued_at: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// The token may not be used yet.
    #[error("the token may not be used yet")]
    NotYetValid {
        /// The token's `nbf`.
        not_before: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// The token expires before it was issued.
    #[error("the token expires before it was issued")]
    ExpiresBeforeIssued,
    /// The token lives longer than tokens may.
    #[error("the token lives {lifetime} seconds, more than {limit}")]
    LifetimeTooLong {
        /// Seconds from `iat` to `exp`.
        lifetime: u64,
        /// Seconds allowed.
        limit: u64,
    },
    /// The token has expired, and nothing else is wrong with it.
    #[error("the token has expired")]
    Expired {
        /// The token's `exp`.
        expired_at: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// The verified claims do not fit the type they were asked for as.
    #[error("the claims do not fit the type they are read into")]
    ClaimsUnreadable,
}

impl JwtError {
    /// Every code with its meaning for an operator.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("jwt_too_large", "The token is larger than 16 KiB."),
        ("jwt_malformed_segments", "The token has not exactly three parts."),
        ("jwt_malformed_character", "The token has a character outside base64url."),
        ("jwt_malformed_base64", "A part of the token is not canonical base64url."),
        ("jwt_malformed_json", "A part of the token is not JSON."),
        ("jwt_malformed_utf8", "A part of the token is not UTF-8."),
        ("jwt_malformed_bom", "A part of the token begins with a byte order mark."),
        ("jwt_malformed_not_object", "A part of the token is JSON, but not an object."),
        ("jwt_malformed_trailing_data", "A part of the token goes on after its JSON object."),
        ("jwt_malformed_duplicate_name", "An object in the token has two members of one name."),
        ("jwt_malformed_surrogate", "A string in the token has half a surrogate pair."),
        ("jwt_malformed_number", "A number in the token has no finite value."),
        ("jwt_malformed_depth", "The token's JSON is nested more than 64 deep."),
        ("jwt_malformed_members", "An object in the token has more than 256 members."),
        ("jwt_malformed_header", "A header member is missing or has the wrong type."),
        ("jwt_kid_invalid", "The header's kid is not 1 to 128 printable ASCII characters."),
        ("jwt_crit_unsupported", "The header demands an extension (crit)."),
        ("jwt_b64_unsupported", "The header asks for an unencoded payload (b64)."),
        ("jwt_zip_unsupported", "The header asks for decompression (zip)."),
        ("jwt_nested_unsupported", "The payload is another token (cty)."),
        ("jwt_embedded_key", "The header offers a key of the sender's choice (jwk, jku, x5c, x5u)."),
        ("jwt_algorithm_none", "The token is not signed."),
        ("jwt_algorithm_unsupported", "The token's algorithm is not supported."),
        ("jwt_algorithm_not_allowed", "The token's algorithm is not one of those expected."),
        ("jwt_key_unknown", "No key has the token's key id."),
        ("jwt_key_ambiguous", "The token names no key, and several could be meant."),
        ("jwt_key_algorithm_mismatch", "The key that the token names is for another algorithm."),
        ("jwt_signature_length", "The signature has not the length its algorithm demands."),
        ("jwt_signature_invalid", "The signature was not made over this token with this key."),
        ("jwt_typ_missing", "The header has no typ."),
        ("jwt_typ_mismatch", "The token is of another kind than expected."),
        ("jwt_claim_missing", "A claim that has to be there is missing."),
        ("jwt_claim_malformed", "A claim is there, but not of the form it has to have."),
        ("jwt_issuer_mismatch", "The token was issued by another issuer."),
        ("jwt_audience_mismatch", "The token is meant for another audience."),
        ("jwt_issued_in_future", "The token says it was issued in the future."),
        ("jwt_not_yet_valid", "The token may not be used yet."),
        ("jwt_expires_before_issued", "The token expires before it was issued."),
        ("jwt_lifetime_too_long", "The token lives longer than tokens may."),
        ("jwt_expired", "The token has expired, and nothing else is wrong with it."),
        ("jwt_claims_unreadable", "The verified claims do not fit the type they are read into."),
    ];

    /// Whether the token has expired and nothing else is wrong with it: its signature and all other claims were right.
    pub const fn is_expired(&self) -> bool {
        matches!(self, Self::Expired { .. })
    }

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "jwt_too_large",
            Self::MalformedSegments { .. } => "jwt_malformed_segments",
            Self::MalformedCharacter { .. } => "jwt_malformed_character",
            Self::MalformedBase64 { .. } => "jwt_malformed_base64",
            Self::MalformedJson { problem, .. } => json_code(*problem),
            Self::MalformedHeader { .. } => "jwt_malformed_header",
            Self::KidInvalid => "jwt_kid_invalid",
            Self::CritUnsupported => "jwt_crit_unsupported",
            Self::UnencodedPayload => "jwt_b64_unsupported",
            Self::Compressed => "jwt_zip_unsupported",
            Self::Nested => "jwt_nested_unsupported",
            Self::EmbeddedKey { .. } => "jwt_embedded_key",
            Self::AlgorithmNone => "jwt_algorithm_none",
            Self::AlgorithmUnsupported => "jwt_algorithm_unsupported",
            Self::AlgorithmNotAllowed { .. } => "jwt_algorithm_not_allowed",
            Self::KeyUnknown => "jwt_key_unknown",
            Self::KeyAmbiguous => "jwt_key_ambiguous",
            Self::KeyAlgorithmMismatch { .. } => "jwt_key_algorithm_mismatch",
            Self::SignatureLength { .. } => "jwt_signature_length",
            Self::SignatureInvalid => "jwt_signature_invalid",
            Self::TypMissing => "jwt_typ_missing",
            Self::TypMismatch => "jwt_typ_mismatch",
            Self::ClaimMissing { .. } => "jwt_claim_missing",
            Self::ClaimMalformed { .. } => "jwt_claim_malformed",
            Self::IssuerMismatch => "jwt_issuer_mismatch",
            Self::AudienceMismatch => "jwt_audience_mismatch",
            Self::IssuedInFuture { .. } => "jwt_issued_in_future",
            Self::NotYetValid { .. } => "jwt_not_yet_valid",
            Self::ExpiresBeforeIssued => "jwt_expires_before_issued",
            Self::LifetimeTooLong { .. } => "jwt_lifetime_too_long",
            Self::Expired { .. } => "jwt_expired",
            Self::ClaimsUnreadable => "jwt_claims_unreadable",
        }
    }
}

const fn json_code(problem: JsonError) -> &'static str {
    match problem {
        JsonError::Syntax { .. } => "jwt_malformed_json",
        JsonError::NotUtf8 => "jwt_malformed_utf8",
        JsonError::ByteOrderMark => "jwt_malformed_bom",
        JsonError::NotAnObject => "jwt_malformed_not_object",
        JsonError::TrailingData { .. } => "jwt_malformed_trailing_data",
        JsonError::DuplicateName { .. } => "jwt_malformed_duplicate_name",
        JsonError::LoneSurrogate { .. } => "jwt_malformed_surrogate",
        JsonError::NumberRange { .. } => "jwt_malformed_number",
        JsonError::TooDeep { .. } => "jwt_malformed_depth",
        JsonError::TooManyMembers { .. } => "jwt_malformed_members",
    }
}
