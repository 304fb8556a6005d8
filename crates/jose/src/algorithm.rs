//! The signature algorithms this crate verifies and signs with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::KeyError;

/// A JWS signature algorithm. There is no variant for unsigned tokens, so none can be configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256, `r || s` of 64 octets (RFC 7518 §3.4).
    Es256,
    /// Ed25519 (RFC 8037). Written `EdDSA`; read from `EdDSA` and from the fully specified `Ed25519` (RFC 9864).
    EdDsa,
    /// HMAC with SHA-256, under a key of at least 32 octets (RFC 7518 §3.2).
    Hs256,
}

impl Algorithm {
    /// Every algorithm that is built in.
    pub const ALL: &'static [Self] = &[Self::Es256, Self::EdDsa, Self::Hs256];

    /// The `alg` value written into headers and keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    /// Whether whoever can verify can also sign.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256)
    }

    /// The only signature length a verifier accepts, in octets.
    pub(crate) const fn signature_len(self) -> usize {
        match self {
            Self::Es256 | Self::EdDsa => 64,
            Self::Hs256 => 32,
        }
    }

    /// The algorithm a header or key names; the comparison is case-sensitive (RFC 7515 §4.1.1).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "HS256" => Some(Self::Hs256),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        Self::from_name(name).ok_or(KeyError::AlgorithmUnsupported)
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;

    #[test]
    fn names_round_trip_and_compare_case_sensitively() {
        for alg in Algorithm::ALL {
            assert_eq!(alg.name().parse::<Algorithm>().unwrap(), *alg);
            let json = serde_json::to_string(alg).unwrap();
            assert_eq!(serde_json::from_str::<Algorithm>(&json).unwrap(), *alg);
        }
        assert_eq!("Ed25519".parse::<Algorithm>().unwrap(), Algorithm::EdDsa);
        for wrong in ["none", "es256", "ES256 ", "EDDSA", "Ed448", "RS256", ""] {
            assert!(wrong.parse::<Algorithm>().is_err(), "{wrong:?}");
        }
    }
}
