//! The members of a public key that make it the key it is.

use std::borrow::Cow;

use super::edwards;
use crate::{Algorithm, KeyError, b64u, backend, digest};

/// What `kty` says; ids have to differ among keys of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyType {
    EllipticCurve,
    OctetKeyPair,
    Rsa,
    Symmetric,
}

/// Type, curve and public value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Params {
    P256 { x: [u8; 32], y: [u8; 32] },
    Ed25519 { x: [u8; 32] },
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
}

impl Params {
    /// The public half of a key pair, as the backend writes it.
    pub(crate) fn from_public(algorithm: Algorithm, public: &[u8]) -> Result<Self, KeyError> {
        match (algorithm, public) {
            (Algorithm::Es256, [0x04, point @ ..]) => {
                let (x, y) = point.split_at_checked(32).ok_or(KeyError::CoordinateLength)?;
                Ok(Self::P256 { x: coordinate(x)?, y: coordinate(y)? })
            }
            (Algorithm::EdDsa, x) => Ok(Self::Ed25519 { x: coordinate(x)? }),
            _ => Err(KeyError::PointInvalid),
        }
    }

    /// The one algorithm of the type and curve; `None` when none is built in.
    pub(crate) const fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::P256 { .. } => Some(Algorithm::Es256),
            Self::Ed25519 { .. } => Some(Algorithm::EdDsa),
            Self::Rsa { .. } => None,
        }
    }

    pub(crate) const fn key_type(&self) -> KeyType {
        match self {
            Self::P256 { .. } => KeyType::EllipticCurve,
            Self::Ed25519 { .. } => KeyType::OctetKeyPair,
            Self::Rsa { .. } => KeyType::Rsa,
        }
    }

    /// The parsed key, or why no signature can be checked with it.
    pub(crate) fn public_key(&self) -> Result<backend::PublicKey, KeyError> {
        match self {
            Self::P256 { x, y } => {
                let mut point = [0x04; 65];
                for (to, from) in point.iter_mut().skip(1).zip(x.iter().chain(y)) {
                    *to = *from;
                }
                backend::PublicKey::p256(&point).ok_or(KeyError::PointInvalid)
            }
            Self::Ed25519 { x } => {
                edwards::check(x)?;
                backend::PublicKey::ed25519(x).ok_or(KeyError::PointInvalid)
            }
            Self::Rsa { .. } => Err(KeyError::AlgorithmUnsupported),
        }
    }

    /// The public members, in the order of their names (RFC 7638 §3.2 requires that order).
    pub(crate) fn members(&self) -> Vec<(&'static str, Cow<'static, str>)> {
        let text = |bytes: &[u8]| Cow::Owned(b64u::encode(bytes));
        match self {
            Self::P256 { x, y } => {
                vec![("crv", "P-256".into()), ("kty", "EC".into()), ("x", text(x)), ("y", text(y))]
            }
            Self::Ed25519 { x } => {
                vec![("crv", "Ed25519".into()), ("kty", "OKP".into()), ("x", text(x))]
            }
            Self::Rsa { n, e } => vec![("e", text(e)), ("kty", "RSA".into()), ("n", text(n))],
        }
    }

    /// The RFC 7638 thumbprint, base64url.
    pub(crate) fn thumbprint(&self) -> String {
        // Names and values are base64url or fixed words: nothing in them needs escaping.
        let members: Vec<String> =
            self.members().iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        b64u::encode(&digest::sha256(format!("{{{}}}", members.join(",")).as_bytes()))
    }
}

fn coordinate(bytes: &[u8]) -> Result<[u8; 32], KeyError> {
    bytes.try_into().map_err(|_| KeyError::CoordinateLength)
}
