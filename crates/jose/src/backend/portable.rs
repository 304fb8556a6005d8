//! RustCrypto: pure Rust, no operating system, no randomness of its own.
//!
//! ECDSA signatures are deterministic (RFC 6979), Ed25519 ones are so by definition.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use hmac::{Hmac, Mac};
use p256::ecdsa::signature::{Signer, Verifier};
use sha2::{Digest, Sha256};

use crate::Algorithm;

/// The SHA-256 digest of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// An HMAC-SHA-256 key with its pads computed once.
pub(crate) struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    pub(crate) fn new(secret: &[u8]) -> Self {
        // RFC 2104 takes keys of any length, so this constructor has no failing case; an empty key stands in for it.
        Self(
            <Hmac<Sha256> as KeyInit>::new_from_slice(secret)
                .unwrap_or_else(|_| <Hmac<Sha256> as KeyInit>::new(&hmac::digest::Key::<Hmac<Sha256>>::default())),
        )
    }

    pub(crate) fn start(&self) -> HmacContext {
        HmacContext(self.0.clone())
    }
}

/// An HMAC in progress.
pub(crate) struct HmacContext(Hmac<Sha256>);

impl HmacContext {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

/// An AES-256-GCM key with its schedule computed once.
pub(crate) struct AeadKey(Aes256Gcm);

impl AeadKey {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(secret.into()))
    }

    pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], body: &mut [u8]) -> [u8; 16] {
        let nonce = Nonce::from(nonce);
        let sealed = self.0.encrypt_inout_detached(&nonce, aad, (&mut *body).into());
        if let Ok(tag) = sealed {
            return tag.into();
        }
        // Unreachable for a body that fits in memory; plaintext must not leave all the same.
        body.fill(0);
        [0; 16]
    }

    pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], body: &mut [u8], tag: [u8; 16]) -> bool {
        self.0.decrypt_inout_detached(&Nonce::from(nonce), aad, body.into(), &Tag::from(tag)).is_ok()
    }
}

/// A public key, parsed once.
pub(crate) enum PublicKey {
    P256(Box<p256::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl PublicKey {
    /// The P-256 key at an uncompressed point; `None` when the point is not on the curve.
    pub(crate) fn p256(point: &[u8; 65]) -> Option<Self> {
        p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(|key| Self::P256(Box::new(key)))
    }

    /// The Ed25519 key at an encoded point.
    pub(crate) fn ed25519(point: &[u8; 32]) -> Option<Self> {
        ed25519_dalek::VerifyingKey::from_bytes(point).ok().map(|key| Self::Ed25519(Box::new(key)))
    }

    /// Whether `signature` was made over `message` with the private half.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }
}

/// A private key, parsed once, with its public half.
pub(crate) enum KeyPair {
    P256 { key: p256::ecdsa::SigningKey, public: [u8; 65] },
    Ed25519 { key: ed25519_dalek::SigningKey, public: [u8; 32] },
}

impl KeyPair {
    /// The P-256 key with this private scalar; `None` when it is 0 or not below the group order.
    pub(crate) fn p256_from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        let key = p256::ecdsa::SigningKey::from_slice(scalar).ok()?;
        let public = key.verifying_key().to_sec1_point(false).as_bytes().try_into().ok()?;
        Some(Self::P256 { key, public })
    }

    /// The Ed25519 key made of this seed.
    #[expect(clippy::unnecessary_wraps, reason = "the other backend's library can refuse")]
    pub(crate) fn ed25519_from_seed(seed: &[u8; 32]) -> Option<Self> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = key.verifying_key().to_bytes();
        Some(Self::Ed25519 { key, public })
    }

    /// The key in a PKCS#8 document; `None` when it is not a consistent key of that algorithm.
    pub(crate) fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Es256 => {
                let key = p256::SecretKey::from_pkcs8_der(der).ok()?;
                Self::p256_from_scalar(key.to_bytes().as_slice().try_into().ok()?)
            }
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_pkcs8_der(der).ok()?;
                Self::ed25519_from_seed(key.as_bytes())
            }
            Algorithm::Hs256 => None,
        }
    }

    /// The public half: an uncompressed point of 65 octets, or 32 octets for Ed25519.
    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::P256 { public, .. } => public,
            Self::Ed25519 { public, .. } => public,
        }
    }

    /// The signature over `message` in its JWS form; `None` when the library refuses to sign.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        match self {
            Self::P256 { key, .. } => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                Some(signature.to_bytes().into())
            }
            Self::Ed25519 { key, .. } => Some(key.try_sign(message).ok()?.to_bytes()),
        }
    }
}
