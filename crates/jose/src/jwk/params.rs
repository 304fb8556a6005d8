//! The members of a public key that make it the key it is.

use std::borrow::Cow;

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

/// The eight points of small order on edwards25519 with their canonical encodings, sign bit cleared: of every y there
/// are at most two points, and both have the same order.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    // y = 1: the neutral element.
    [0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    // y = -1: order 2.
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    // y = 0: order 4.
    [0; 32],
    // The two y of order 8.
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

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
                check_ed25519(x)?;
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

/// Refuses encodings with y ≥ p, of which one point could have two, and points of small order, under which
/// signatures can be made without any key.
fn check_ed25519(x: &[u8; 32]) -> Result<(), KeyError> {
    let mut y = *x;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    let at_least_p = y.first() >= Some(&0xed)
        && y.last() == Some(&0x7f)
        && y.get(1..31).is_some_and(|middle| middle.iter().all(|octet| *octet == 0xff));
    if at_least_p {
        return Err(KeyError::PointNotCanonical);
    }
    if SMALL_ORDER_Y.contains(&y) {
        return Err(KeyError::PointSmallOrder);
    }
    Ok(())
}
