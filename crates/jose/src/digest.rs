//! SHA-256.

use crate::backend;

/// The SHA-256 digest of `bytes`.
///
/// # Security
/// A plain digest is public knowledge to whoever can guess the input; for secrets with little entropy use
/// [`MacKey`](crate::mac::MacKey).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    backend::sha256(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn digest_matches_the_published_vector() {
        // FIPS 180-4 example: SHA-256("abc").
        let digest = super::sha256(b"abc");
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(digest[28..], [0xf2, 0x00, 0x15, 0xad]);
    }
}
