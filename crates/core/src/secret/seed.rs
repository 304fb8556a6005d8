//! The secret of one login.

use misario_jose::{Entropy, b64u};
use zeroize::Zeroizing;

use super::TokenKeys;
use crate::id::SessionId;
use crate::session::SealedSeed;

/// 256 random bits that every token of one login is derived from, together with a key that is not in the store.
///
/// Deriving, rather than drawing, makes handing out repeatable: any number of requests that race for "the next token"
/// get the same one, and a response that was lost can be given again.
pub struct LoginSeed {
    pub(super) key: u32,
    pub(super) secret: Zeroizing<[u8; 32]>,
}

impl LoginSeed {
    /// A seed for a new login, under the current token key.
    pub fn generate(keys: &TokenKeys, entropy: &dyn Entropy) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        entropy.fill(secret.as_mut_slice());
        Self { key: keys.current().id(), secret }
    }

    /// The form that is stored. Sealed to the login's handle, so that it cannot be moved to another record.
    pub fn seal(&self, keys: &TokenKeys, sid: &SessionId, entropy: &dyn Entropy) -> Option<SealedSeed> {
        let mut nonce = [0; 12];
        entropy.fill(&mut nonce);
        let sealed = keys.find(self.key)?.seal.seal(nonce, sid.as_bytes(), self.secret.as_slice());
        Some(SealedSeed { key: self.key, sealed: b64u::encode(&sealed) })
    }

    /// The seed that was stored; `None` if its key is gone or the record was tampered with.
    pub fn open(keys: &TokenKeys, sid: &SessionId, sealed: &SealedSeed) -> Option<Self> {
        let octets = b64u::decode(&sealed.sealed)?;
        let plain = keys.find(sealed.key)?.seal.open(sid.as_bytes(), &octets)?;
        let secret: [u8; 32] = plain.as_slice().try_into().ok()?;
        Some(Self { key: sealed.key, secret: Zeroizing::new(secret) })
    }
}

impl std::fmt::Debug for LoginSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginSeed(…)")
    }
}
