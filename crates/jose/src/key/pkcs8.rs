//! The two PKCS#8 documents this crate writes (RFC 5958, RFC 5915, RFC 8410).
//!
//! Both are of fixed length, so they are templates and not an encoder. Reading is the backend's work.

use zeroize::Zeroizing;

/// `SEQUENCE { 0, { id-ecPublicKey, prime256v1 }, OCTET STRING { ECPrivateKey { 1, scalar } } }`, up to the scalar.
#[cfg(not(any(target_family = "wasm", misario_portable)))]
const P256_SCALAR_HEAD: &[u8] = &[
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
];
/// The same for a document that also holds the public point.
const P256_HEAD: &[u8] = &[
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20,
];
/// `[1] { BIT STRING }` between the scalar and the point.
const P256_POINT_HEAD: &[u8] = &[0xa1, 0x44, 0x03, 0x42, 0x00];
/// `SEQUENCE { 0, { id-Ed25519 }, OCTET STRING { OCTET STRING { seed } } }`, up to the seed.
const ED25519_HEAD: &[u8] =
    &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A P-256 private key without its public point, for a backend that computes the point.
#[cfg(not(any(target_family = "wasm", misario_portable)))]
pub(crate) fn p256_scalar(scalar: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([P256_SCALAR_HEAD, scalar].concat())
}

/// A P-256 private key with its public point.
pub(crate) fn p256(scalar: &[u8; 32], point: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([P256_HEAD, scalar, P256_POINT_HEAD, point].concat())
}

/// An Ed25519 private key.
pub(crate) fn ed25519(seed: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([ED25519_HEAD, seed].concat())
}
