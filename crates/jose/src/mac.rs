//! Keyed tags: HMAC-SHA-256 over a list of parts.
//!
//! Each part is preceded by its length, so `["ab", "c"]` and `["a", "bc"]` have different tags, and no part can
//! reach into its neighbour.

use std::fmt;
use std::sync::Arc;

use crate::{backend, compare::constant_time_eq};

/// The shortest tag [`MacKey::verify`] accepts, in octets.
pub const MIN_TAG_LEN: usize = 16;

/// A key for tags. Its `Debug` shows nothing of it; clones share it, and it is wiped with the last of them.
#[derive(Clone)]
pub struct MacKey(Arc<backend::HmacKey>);

impl MacKey {
    /// The key made of `secret`, of any length.
    ///
    /// # Security
    /// Use at least 32 unpredictable octets. Import rules for token keys are those of
    /// [`SigningKey::from_secret_bytes`](crate::SigningKey::from_secret_bytes), not of this type.
    pub fn new(secret: &[u8]) -> Self {
        Self(Arc::new(backend::HmacKey::new(secret)))
    }

    /// The tag over `parts`, each preceded by its length as eight octets, big-endian.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.start();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finish()
    }

    /// Whether `tag` is the tag over `parts`, or its first 16 to 31 octets; in constant time.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        let expected = self.tag(parts);
        tag.len() >= MIN_TAG_LEN && expected.get(..tag.len()).is_some_and(|prefix| constant_time_eq(prefix, tag))
    }

    /// 32 octets to key something else with, different for each `label`, that tell nothing of this key.
    pub fn derive(&self, label: &str) -> [u8; 32] {
        // Read as a part's length, these first eight octets would be a part of 2^62 octets: no tag can collide.
        let mut mac = self.0.start();
        mac.update(b"misario derive:");
        mac.update(label.as_bytes());
        mac.finish()
    }

    /// The bare HMAC of `message`, as JWS defines it.
    pub(crate) fn raw(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = self.0.start();
        mac.update(message);
        mac.finish()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::MacKey;

    #[test]
    fn raw_hmac_matches_rfc_4231_case_2() {
        let tag = MacKey::new(b"Jefe").raw(b"what do ya want for nothing?");
        assert_eq!(tag[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(tag[28..], [0x64, 0xec, 0x38, 0x43]);
    }

    #[test]
    fn moving_a_boundary_between_parts_changes_the_tag() {
        let key = MacKey::new(&[7; 32]);
        assert_ne!(key.tag(&[b"ab", b"c"]), key.tag(&[b"a", b"bc"]));
        assert_ne!(key.tag(&[b"ab"]), key.tag(&[b"ab", b""]));
    }

    #[test]
    fn a_tag_may_be_cut_to_sixteen_octets_and_no_further() {
        let key = MacKey::new(&[7; 32]);
        let tag = key.tag(&[b"x"]);
        for len in 0..=32 {
            assert_eq!(key.verify(&[b"x"], &tag[..len]), len >= 16, "{len}");
        }
        assert!(!key.verify(&[b"y"], &tag));
        let mut longer = tag.to_vec();
        longer.push(0);
        assert!(!key.verify(&[b"x"], &longer));
    }

    #[test]
    fn derived_keys_differ_by_label_and_debug_shows_nothing() {
        let key = MacKey::new(&[7; 32]);
        assert_ne!(key.derive("a"), key.derive("b"));
        assert_eq!(format!("{key:?}"), "MacKey(..)");
    }
}
