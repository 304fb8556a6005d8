//! Authenticated encryption for what has to be stored and read back: AES-256-GCM.
//!
//! The sealed form is `nonce (12) || ciphertext || tag (16)`.

use std::fmt;
use std::sync::Arc;

use zeroize::{Zeroize, Zeroizing};

use crate::backend;

/// Octets of the nonce in front of the ciphertext.
pub const NONCE_LEN: usize = 12;
/// Octets of the tag behind it.
pub const TAG_LEN: usize = 16;

/// A key for sealing. Its `Debug` shows nothing of it; clones share it, and it is wiped with the last of them.
#[derive(Clone)]
pub struct SealKey(Arc<backend::AeadKey>);

impl SealKey {
    /// The key made of 32 unpredictable octets.
    pub fn new(mut secret: [u8; 32]) -> Self {
        let key = backend::AeadKey::new(&secret);
        secret.zeroize();
        Self(Arc::new(key))
    }

    /// `plain` encrypted, bound to `aad`, as `nonce || ciphertext || tag`.
    ///
    /// # Security
    /// A nonce must never be used twice under one key: the second use gives away both plaintexts and the key's
    /// authentication secret. Random nonces are safe for about 2^32 seals per key.
    pub fn seal(&self, nonce: [u8; NONCE_LEN], aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + TAG_LEN);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let (_, body) = sealed.split_at_mut(NONCE_LEN);
        let tag = self.0.seal(nonce, aad, body);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// The plaintext of `sealed`, or `None` when it was not sealed under this key with this `aad`.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let (body, tag) = rest.split_last_chunk::<TAG_LEN>()?;
        let mut plain = Zeroizing::new(body.to_vec());
        self.0.open(*nonce, aad, &mut plain, *tag).then_some(plain)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::SealKey;

    #[test]
    fn what_was_sealed_opens_with_the_same_key_and_data_only() {
        let key = SealKey::new([1; 32]);
        let sealed = key.seal([2; 12], b"row 7", b"secret");
        assert_eq!(sealed.len(), 12 + 6 + 16);
        assert_eq!(key.open(b"row 7", &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open(b"row 8", &sealed).is_none());
        assert!(SealKey::new([2; 32]).open(b"row 7", &sealed).is_none());
    }

    #[test]
    fn any_flipped_bit_and_any_truncation_is_refused() {
        let key = SealKey::new([1; 32]);
        let sealed = key.seal([2; 12], b"", b"secret");
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(b"", &bad).is_none(), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(key.open(b"", &sealed[..len]).is_none(), "length {len}");
        }
    }

    #[test]
    fn the_cipher_is_aes_256_gcm() {
        // McGrew & Viega, "The Galois/Counter Mode of Operation", test case 14: zero key, zero nonce, zero block.
        let sealed = SealKey::new([0; 32]).seal([0; 12], b"", &[0; 16]);
        assert_eq!(sealed[12..16], [0xce, 0xa7, 0x40, 0x3d]);
        assert_eq!(sealed[28..32], [0xd0, 0xd1, 0xc8, 0xa7]);
    }
}
