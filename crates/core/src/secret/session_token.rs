//! The session token: what a client of a `session` app holds.

use zeroize::Zeroizing;

use super::envelope::{SecretError, SecretKind, read, write};
use super::{LoginSeed, ReplicaKeys, SecretText, TokenDigest, TokenKeys};
use crate::id::SessionId;

/// A session token that was made here. Whether it counts, the record's digest tells.
pub struct SessionToken {
    key: u32,
    sid: SessionId,
    secret: Zeroizing<[u8; 32]>,
}

impl SessionToken {
    /// The token number `generation` of the login; the same one however often it is derived.
    pub fn derive(keys: &TokenKeys, seed: &LoginSeed, sid: SessionId, generation: u32) -> Option<Self> {
        let parts: [&[u8]; 4] = [b"session", seed.secret.as_slice(), sid.as_bytes(), &generation.to_be_bytes()];
        let secret = keys.find(seed.key)?.derive.tag(&parts);
        Some(Self { key: seed.key, sid, secret: Zeroizing::new(secret) })
    }

    /// The token in `text`, if it was made here.
    pub fn parse(keys: &ReplicaKeys, text: &str) -> Result<Self, SecretError> {
        let (key, content) = read::<48>(SecretKind::SessionToken, keys, text)?;
        let (mut sid, mut secret) = ([0; 16], Zeroizing::new([0; 32]));
        sid.copy_from_slice(&content[..16]);
        secret.copy_from_slice(&content[16..]);
        Ok(Self { key, sid: SessionId::from_bytes(sid), secret })
    }

    /// The login it belongs to.
    pub const fn sid(&self) -> SessionId {
        self.sid
    }

    /// The text that the client gets.
    pub fn to_text(&self, keys: &ReplicaKeys) -> Option<SecretText> {
        let mut content = Zeroizing::new([0; 48]);
        content[..16].copy_from_slice(self.sid.as_bytes());
        content[16..].copy_from_slice(self.secret.as_slice());
        Some(write(SecretKind::SessionToken, keys.find(self.key)?, content.as_slice()))
    }

    /// What the record keeps; `None` if the token's key is not at the authority any more.
    pub fn digest(&self, keys: &TokenKeys) -> Option<TokenDigest> {
        let parts: [&[u8]; 3] = [b"session", self.sid.as_bytes(), self.secret.as_slice()];
        Some(TokenDigest::new(self.key, keys.find(self.key)?.digest.tag(&parts)))
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionToken(of {})", self.sid)
    }
}
