//! aws-lc-rs.
//!
//! ECDSA signatures are made with the library's own randomness, hedged with the key and the message (RFC 6979 §3.6).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey,
};
use aws_lc_rs::{digest, hmac, rand::SystemRandom};

use crate::Algorithm;
use crate::key::pkcs8;

/// The SHA-256 digest of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    to_array(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Copies a 32-octet output; the library types it as a slice.
fn to_array(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}

/// An HMAC-SHA-256 key with its pads computed once.
pub(crate) struct HmacKey(hmac::Key);

impl HmacKey {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    pub(crate) fn start(&self) -> HmacContext {
        HmacContext(hmac::Context::with_key(&self.0))
    }
}

/// An HMAC in progress.
pub(crate) struct HmacContext(hmac::Context);

impl HmacContext {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        to_array(self.0.sign().as_ref())
    }
}

/// An AES-256-GCM key with its schedule computed once.
pub(crate) struct AeadKey(Option<LessSafeKey>);

impl AeadKey {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(UnboundKey::new(&AES_256_GCM, secret).ok().map(LessSafeKey::new))
    }

    pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], body: &mut [u8]) -> [u8; 16] {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.as_ref().and_then(|key| key.seal_in_place_separate_tag(nonce, Aad::from(aad), body).ok());
        let mut out = [0; 16];
        if let Some(tag) = tag {
            for (to, from) in out.iter_mut().zip(tag.as_ref()) {
                *to = *from;
            }
        } else {
            // Unreachable for a 32-octet key and a body that fits in memory; plaintext must not leave all the same.
            body.fill(0);
        }
        out
    }

    pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], body: &mut [u8], tag: [u8; 16]) -> bool {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.as_ref().is_some_and(|key| key.open_in_place_separate_tag(nonce, Aad::from(aad), &tag, body).is_ok())
    }
}

/// A public key, parsed once.
pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// The P-256 key at an uncompressed point; `None` when the point is not on the curve.
    pub(crate) fn p256(point: &[u8; 65]) -> Option<Self> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok().map(Self)
    }

    /// The Ed25519 key at an encoded point.
    pub(crate) fn ed25519(point: &[u8; 32]) -> Option<Self> {
        ParsedPublicKey::new(&ED25519, point).ok().map(Self)
    }

    /// Whether `signature` was made over `message` with the private half.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// A private key, parsed once.
pub(crate) enum KeyPair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    /// The P-256 key with this private scalar; `None` when it is 0 or not below the group order.
    pub(crate) fn p256_from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        Self::from_pkcs8(Algorithm::Es256, &pkcs8::p256_scalar(scalar))
    }

    /// The Ed25519 key made of this seed.
    pub(crate) fn ed25519_from_seed(seed: &[u8; 32]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self::Ed25519)
    }

    /// The key in a PKCS#8 document; `None` when it is not a consistent key of that algorithm.
    pub(crate) fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok().map(Self::P256),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).ok().map(Self::Ed25519),
            Algorithm::Hs256 => None,
        }
    }

    /// The public half: an uncompressed point of 65 octets, or 32 octets for Ed25519.
    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::P256(pair) => pair.public_key().as_ref(),
            Self::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    /// The signature over `message` in its JWS form; `None` when the library refuses to sign.
    #[expect(clippy::disallowed_methods, reason = "the library asks for it by type and takes its own randomness")]
    pub(crate) fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        let signature = match self {
            Self::P256(pair) => pair.sign(&SystemRandom::new(), message).ok()?,
            Self::Ed25519(pair) => pair.try_sign(message).ok()?,
        };
        signature.as_ref().try_into().ok()
    }
}
