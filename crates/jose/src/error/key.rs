//! Why a key or a key set is refused.

use crate::{Algorithm, JsonError, KeyId};

/// Why a key or a key set is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The set is larger than a set is read.
    #[error("the key set has {size} octets, more than {limit}")]
    SetTooLarge {
        /// Octets shown.
        size: usize,
        /// Octets allowed.
        limit: usize,
    },
    /// The set holds more keys than a set is read.
    #[error("the key set holds more than {limit} keys")]
    SetTooManyKeys {
        /// Keys allowed.
        limit: usize,
    },
    /// The text of the key or set is not the JSON it has to be.
    #[error("the key text {problem}")]
    Json {
        /// What is wrong with it.
        problem: JsonError,
    },
    /// The set has no `keys` array.
    #[error("the key set has no \"keys\" array")]
    SetWithoutKeys,
    /// Symmetric and asymmetric keys stand in one set.
    #[error("symmetric and asymmetric keys stand in one set")]
    SetMixed,
    /// Two keys of one type have the same id.
    #[error("two keys of one type have the same id")]
    KidDuplicate,
    /// The id is not a string of 1 to 128 printable ASCII characters.
    #[error("the key id is not a string of 1 to {} printable ASCII characters", KeyId::MAX_LEN)]
    KidInvalid,
    /// A member of the key is missing or of the wrong type.
    #[error("the key's member \"{member}\" is missing or malformed")]
    MemberMalformed {
        /// The member.
        member: &'static str,
    },
    /// The key's type (`kty`) is unknown here.
    #[error("the key type is not known")]
    TypeUnsupported,
    /// The key's curve (`crv`) is unknown here.
    #[error("the curve is not known")]
    CurveUnsupported,
    /// The key's algorithm (`alg`) is unknown here.
    #[error("the key's algorithm is not supported")]
    AlgorithmUnsupported,
    /// The key's algorithm cannot be used with its type or curve.
    #[error("the key says {stated} but its type and curve are for {actual}")]
    AlgorithmContradiction {
        /// The key's `alg`.
        stated: Algorithm,
        /// What its type and curve are for.
        actual: Algorithm,
    },
    /// The key's `use` is not `sig`.
    #[error("the key's use is not \"sig\"")]
    UseMismatch,
    /// The key's `key_ops` do not allow verifying, or contradict themselves.
    #[error("the key's key_ops do not allow verifying")]
    OperationsMismatch,
    /// A public set shows a symmetric key.
    #[error("a symmetric key stands in a public set; it is no secret any more")]
    SymmetricInPublicSet,
    /// A public set shows a private key.
    #[error("a private key stands in a public set; it is no secret any more")]
    PrivateInPublicSet,
    /// A coordinate has not the curve's full size.
    #[error("a coordinate has not the curve's full size")]
    CoordinateLength,
    /// The point is not on the curve.
    #[error("the point is not on the curve")]
    PointInvalid,
    /// The Ed25519 point has small order: anybody can make signatures that verify under it.
    #[error("the Ed25519 point has small order; anybody could sign for it")]
    PointSmallOrder,
    /// The Ed25519 point is not encoded canonically.
    #[error("the Ed25519 point is not encoded canonically")]
    PointNotCanonical,
    /// The secret is not a consistent PKCS#8 private key of the algorithm.
    #[error("the secret is not a PKCS#8 private key for {algorithm}")]
    SecretMalformed {
        /// What it was to be used for.
        algorithm: Algorithm,
    },
    /// The HMAC key is shorter than the digest (RFC 7518 §3.2).
    #[error("the HMAC key has {size} octets, fewer than {minimum}")]
    HmacTooShort {
        /// Octets shown.
        size: usize,
        /// Octets needed.
        minimum: usize,
    },
    /// The HMAC key is printed in manuals, or is a common placeholder.
    #[error("the HMAC key is a well-known sample; anybody could sign with it")]
    HmacWellKnown,
    /// The HMAC key is so regular that it can be guessed.
    #[error("the HMAC key is regular enough to be guessed; use 32 random octets")]
    HmacLowEntropy,
}

impl KeyError {
    /// Every code with its meaning for an operator.
    pub const CODES: &'static [(&'static str, &'static str)] = &[
        ("key_set_too_large", "The key set is larger than 256 KiB."),
        ("key_set_too_many_keys", "The key set holds more than 100 keys."),
        ("key_malformed_json", "The key or key set is not a strict JSON object."),
        ("key_set_without_keys", "The key set has no \"keys\" array."),
        ("key_set_mixed", "Symmetric and asymmetric keys stand in one set."),
        ("key_id_duplicate", "Two keys of one type have the same kid."),
        ("key_id_invalid", "A kid is not a string of 1 to 128 printable ASCII characters."),
        ("key_member_malformed", "A member of the key is missing or has the wrong type."),
        ("key_type_unsupported", "The key type (kty) is not known."),
        ("key_curve_unsupported", "The curve (crv) is not known."),
        ("key_algorithm_unsupported", "The key's algorithm is not supported."),
        ("key_algorithm_contradiction", "The key's alg does not fit its type and curve."),
        ("key_use_mismatch", "The key's use is not \"sig\"."),
        ("key_operations_mismatch", "The key's key_ops do not allow verifying."),
        ("key_symmetric_in_public_set", "A symmetric key was published; replace it at once."),
        ("key_private_in_public_set", "A private key was published; replace it at once."),
        ("key_coordinate_length", "A coordinate has not the curve's full size."),
        ("key_point_invalid", "The public point is not on the curve."),
        ("key_point_small_order", "The Ed25519 point has small order; anybody could sign for it."),
        ("key_point_not_canonical", "The Ed25519 point is not encoded canonically."),
        ("key_secret_malformed", "The secret is not a PKCS#8 private key of its algorithm."),
        ("key_hmac_too_short", "The HMAC key is shorter than 32 octets."),
        ("key_hmac_well_known", "The HMAC key is a published sample; anybody could sign with it."),
        ("key_hmac_low_entropy", "The HMAC key is regular enough to be guessed."),
    ];

    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SetTooLarge { .. } => "key_set_too_large",
            Self::SetTooManyKeys { .. } => "key_set_too_many_keys",
            Self::Json { .. } => "key_malformed_json",
            Self::SetWithoutKeys => "key_set_without_keys",
            Self::SetMixed => "key_set_mixed",
            Self::KidDuplicate => "key_id_duplicate",
            Self::KidInvalid => "key_id_invalid",
            Self::MemberMalformed { .. } => "key_member_malformed",
            Self::TypeUnsupported => "key_type_unsupported",
            Self::CurveUnsupported => "key_curve_unsupported",
            Self::AlgorithmUnsupported => "key_algorithm_unsupported",
            Self::AlgorithmContradiction { .. } => "key_algorithm_contradiction",
            Self::UseMismatch => "key_use_mismatch",
            Self::OperationsMismatch => "key_operations_mismatch",
            Self::SymmetricInPublicSet => "key_symmetric_in_public_set",
            Self::PrivateInPublicSet => "key_private_in_public_set",
            Self::CoordinateLength => "key_coordinate_length",
            Self::PointInvalid => "key_point_invalid",
            Self::PointSmallOrder => "key_point_small_order",
            Self::PointNotCanonical => "key_point_not_canonical",
            Self::SecretMalformed { .. } => "key_secret_malformed",
            Self::HmacTooShort { .. } => "key_hmac_too_short",
            Self::HmacWellKnown => "key_hmac_well_known",
            Self::HmacLowEntropy => "key_hmac_low_entropy",
        }
    }
}
