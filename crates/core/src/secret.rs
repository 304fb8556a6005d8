//! What opens something: tokens and the keys behind them. These types do not print, and are wiped when dropped.
//!
//! Every secret text has the form `prefix_` + base64url(key id ‖ content ‖ tag). The tag is a MAC under a key of this
//! instance, so garbage is refused with one hash and without any look-up. A tag only says "made here": replicas hold
//! the tag keys ([`ReplicaKeys`]) and can recognise tokens, but whether one *counts* is decided by a digest or a
//! derived secret, and the keys of those never leave the authority ([`TokenKeys`]).
//!
//! | prefix | what | content | counts because |
//! |---|---|---|---|
//! | `mst_` | session token | `sid`, 32 secret octets | the record keeps its keyed digest |
//! | `mrt_` | refresh token | `sid`, generation, 32 secret octets | the record's sealed seed derives it again |
//! | `mcs_` | client secret | 32 secret octets | the client keeps its keyed digest |
//! | `mct_` | CSRF token | 16 random octets | its tag binds it to a login |

mod client_secret;
mod csrf;
mod envelope;
mod keys;
mod refresh_token;
mod seed;
mod session_token;
mod text;

pub use client_secret::ClientSecret;
pub use csrf::{CsrfBinding, CsrfToken};
pub use envelope::{SecretError, SecretKind};
pub use keys::{ReplicaKey, ReplicaKeys, TokenKey, TokenKeys};
pub use refresh_token::RefreshToken;
pub use seed::LoginSeed;
pub use session_token::SessionToken;
pub use text::SecretText;

use misario_jose::{b64u, constant_time_eq};
use serde::{Deserialize, Serialize};

/// The keyed digest of a secret, with the id of the key it was made with. This is what stores keep: without the key,
/// which is not in the store, it neither opens anything nor confirms a guess.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenDigest {
    key: u32,
    digest: [u8; 32],
}

impl TokenDigest {
    const fn new(key: u32, digest: [u8; 32]) -> Self {
        Self { key, digest }
    }

    /// The id of the token key that it was made with.
    pub const fn key(&self) -> u32 {
        self.key
    }

    /// Whether both are digests of one secret, compared in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.key == other.key && constant_time_eq(&self.digest, &other.digest)
    }
}

impl std::fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenDigest(key {})", self.key)
    }
}

impl Serialize for TokenDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}.{}", self.key, b64u::encode(&self.digest)))
    }
}

impl<'de> Deserialize<'de> for TokenDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let parse = || {
            let (key, digest) = text.split_once('.')?;
            Some(Self { key: key.parse().ok()?, digest: b64u::decode(digest)?.try_into().ok()? })
        };
        parse().ok_or_else(|| serde::de::Error::custom("a token digest is written key.base64url"))
    }
}

#[cfg(test)]
mod tests;
