//! The name of a key.

use std::fmt;

use crate::KeyError;

/// The name of a key (`kid`): 1 to 128 octets of printable ASCII.
///
/// # Security
/// In a token it is chosen by whoever made the token (RFC 8725 §3.10), so it is only ever compared with the ids of
/// keys that are already held; the limits keep control characters and floods out of logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// The longest id that is accepted, in octets.
    pub const MAX_LEN: usize = 128;

    /// The id `kid`.
    ///
    /// # Errors
    /// `key_id_invalid` when it is empty, longer than 128 octets or not printable ASCII.
    pub fn new(kid: &str) -> Result<Self, KeyError> {
        if Self::is_valid(kid) { Ok(Self(kid.into())) } else { Err(KeyError::KidInvalid) }
    }

    /// The id as it stands in headers and key sets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rule that both a key's id and a token's `kid` have to meet.
    pub(crate) fn is_valid(kid: &str) -> bool {
        (1..=Self::MAX_LEN).contains(&kid.len()) && kid.bytes().all(|b| (0x20..=0x7e).contains(&b))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({:?})", &*self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for KeyId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::KeyId;

    #[test]
    fn only_short_printable_ascii_is_an_id() {
        assert_eq!(KeyId::new("ec 1").unwrap().as_str(), "ec 1");
        assert!(KeyId::new(&"k".repeat(128)).is_ok());
        for wrong in ["", "a\0", "a\n", "ec\u{ff11}", &"k".repeat(129)] {
            assert!(KeyId::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
