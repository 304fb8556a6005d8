//! The refresh token: what renews a login that was given one.

use misario_jose::constant_time_eq;
use zeroize::Zeroizing;

use super::envelope::{SecretError, SecretKind, read, write};
use super::{LoginSeed, ReplicaKeys, SecretText, TokenKeys};
use crate::id::SessionId;
use crate::refresh::Generation;

/// A refresh token that looks as if made here. [`RefreshToken::is_genuine`] proves it: only such a token may ever
/// revoke a family.
pub struct RefreshToken {
    key: u32,
    sid: SessionId,
    generation: Generation,
    secret: Zeroizing<[u8; 32]>,
}

impl RefreshToken {
    /// The token of that generation; the same one however often it is derived.
    pub fn derive(keys: &TokenKeys, seed: &LoginSeed, sid: SessionId, generation: Generation) -> Option<Self> {
        let parts: [&[u8]; 4] = [b"refresh", seed.secret.as_slice(), sid.as_bytes(), &generation.0.to_be_bytes()];
        let secret = keys.find(seed.key)?.derive.tag(&parts);
        Some(Self { key: seed.key, sid, generation, secret: Zeroizing::new(secret) })
    }

    /// The token in `text`, if its tag is right.
    pub fn parse(keys: &ReplicaKeys, text: &str) -> Result<Self, SecretError> {
        let (key, content) = read::<52>(SecretKind::RefreshToken, keys, text)?;
        let (mut sid, mut generation, mut secret) = ([0; 16], [0; 4], Zeroizing::new([0; 32]));
        sid.copy_from_slice(&content[..16]);
        generation.copy_from_slice(&content[16..20]);
        secret.copy_from_slice(&content[20..]);
        let generation = Generation(u32::from_be_bytes(generation));
        Ok(Self { key, sid: SessionId::from_bytes(sid), generation, secret })
    }

    /// Whether this is the token that the login's seed derives: proof that the authority itself made it. The tag
    /// alone is none, since replicas hold the tag keys.
    pub fn is_genuine(&self, keys: &TokenKeys, seed: &LoginSeed) -> bool {
        Self::derive(keys, seed, self.sid, self.generation)
            .is_some_and(|own| own.key == self.key && constant_time_eq(own.secret.as_slice(), self.secret.as_slice()))
    }

    /// The login it belongs to.
    pub const fn sid(&self) -> SessionId {
        self.sid
    }

    /// Its place in the family.
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The text that the client gets.
    pub fn to_text(&self, keys: &ReplicaKeys) -> Option<SecretText> {
        let mut content = Zeroizing::new([0; 52]);
        content[..16].copy_from_slice(self.sid.as_bytes());
        content[16..20].copy_from_slice(&self.generation.0.to_be_bytes());
        content[20..].copy_from_slice(self.secret.as_slice());
        Some(write(SecretKind::RefreshToken, keys.find(self.key)?, content.as_slice()))
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RefreshToken({} of {})", self.generation.0, self.sid)
    }
}
