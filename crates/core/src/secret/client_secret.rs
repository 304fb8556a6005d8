//! The secret of a client: what is not a person shows this.

use misario_jose::Entropy;
use zeroize::Zeroizing;

use super::envelope::{SecretError, SecretKind, read, write};
use super::{ReplicaKeys, SecretText, TokenDigest, TokenKeys};
use crate::id::ClientId;

/// A client secret that was made here. Whether it counts, the client's digests tell.
pub struct ClientSecret {
    key: u32,
    secret: Zeroizing<[u8; 32]>,
}

impl ClientSecret {
    /// 256 fresh random bits.
    pub fn generate(keys: &TokenKeys, entropy: &dyn Entropy) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        entropy.fill(secret.as_mut_slice());
        Self { key: keys.current().id(), secret }
    }

    /// The secret in `text`, if it was made here.
    pub fn parse(keys: &TokenKeys, text: &str) -> Result<Self, SecretError> {
        let (key, secret) = read::<32>(SecretKind::ClientSecret, keys.replica(), text)?;
        Ok(Self { key, secret })
    }

    /// Whether `text` has the form of a client secret. Whether it was made here, only whoever has the keys can tell.
    pub fn is_well_formed(text: &str) -> bool {
        let read = read::<32>(SecretKind::ClientSecret, &ReplicaKeys::default(), text);
        matches!(read, Err(SecretError::UnknownKey { .. }))
    }

    /// The text that the operator gets, once.
    pub fn to_text(&self, keys: &TokenKeys) -> Option<SecretText> {
        Some(write(SecretKind::ClientSecret, keys.find(self.key)?.replica(), self.secret.as_slice()))
    }

    /// What the client's record keeps. Bound to the client, so that a digest copied to another record opens nothing.
    pub fn digest(&self, keys: &TokenKeys, client: &ClientId) -> Option<TokenDigest> {
        let parts: [&[u8]; 3] = [b"client", client.as_str().as_bytes(), self.secret.as_slice()];
        Some(TokenDigest::new(self.key, keys.find(self.key)?.digest.tag(&parts)))
    }
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}
