//! Signing keys: sealed in the record store, parsed once, chosen by algorithm.

use misario_core::secret::TokenKeys;
use misario_jose::{Algorithm, Entropy, KeySet, SigningKey, UnixTime, b64u};
use serde::{Deserialize, Serialize};

use crate::error::{Error, InternalFault};

/// A signing key as stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SigningKeyRecord {
    /// Its `kid`.
    pub(crate) kid: String,
    /// Its algorithm.
    pub(crate) alg: Algorithm,
    /// The token key that it is sealed with.
    key: u32,
    /// The private key, sealed; base64url.
    sealed: String,
    /// When it was made.
    pub(crate) created: UnixTime,
}

impl SigningKeyRecord {
    /// A fresh key, sealed under the current token key and bound to its own name.
    pub(crate) fn generate(
        alg: Algorithm,
        keys: &TokenKeys,
        entropy: &dyn Entropy,
        now: UnixTime,
    ) -> (Self, SigningKey) {
        let signing = SigningKey::generate(alg, entropy);
        let kid = signing.kid().as_str().to_owned();
        let mut nonce = [0; 12];
        entropy.fill(&mut nonce);
        let current = keys.current();
        let sealed = current.seal().seal(nonce, kid.as_bytes(), &signing.to_secret_bytes());
        (Self { kid, alg, key: current.id(), sealed: b64u::encode(&sealed), created: now }, signing)
    }

    fn open(&self, keys: &TokenKeys) -> Result<SigningKey, Error> {
        let unreadable = InternalFault::Record { what: "signing key" };
        let token_key = keys.find(self.key).ok_or(InternalFault::TokenKeyMissing { key: self.key })?;
        let sealed = b64u::decode(&self.sealed).ok_or_else(|| unreadable.clone())?;
        let secret = token_key.seal().open(self.kid.as_bytes(), &sealed).ok_or_else(|| unreadable.clone())?;
        SigningKey::from_secret_bytes(self.alg, &secret).map_err(|_| unreadable.into())
    }
}

/// The keys that sign: for each algorithm, the newest.
#[derive(Default)]
pub(crate) struct SigningKeys {
    /// Oldest first.
    keys: Vec<SigningKey>,
}

impl SigningKeys {
    pub(crate) fn open(mut records: Vec<SigningKeyRecord>, keys: &TokenKeys) -> Result<Self, Error> {
        records.sort_by(|a, b| (a.created, &a.kid).cmp(&(b.created, &b.kid)));
        Ok(Self { keys: records.iter().map(|record| record.open(keys)).collect::<Result<_, _>>()? })
    }

    pub(crate) fn push(&mut self, key: SigningKey) {
        self.keys.push(key);
    }

    pub(crate) fn has(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.algorithm() == algorithm)
    }

    /// The key's algorithm, if it is the one that new tokens of it are signed with.
    pub(crate) fn signs(&self, kid: &str) -> Option<Algorithm> {
        let algorithm = self.keys.iter().find(|key| key.kid().as_str() == kid)?.algorithm();
        let newest = self.keys.iter().rev().find(|key| key.algorithm() == algorithm)?;
        (newest.kid().as_str() == kid).then_some(algorithm)
    }

    pub(crate) fn remove(&mut self, kid: &str) {
        self.keys.retain(|key| key.kid().as_str() != kid);
    }

    /// A JWT with these claims, signed with the newest key of the algorithm.
    pub(crate) fn sign<C: Serialize>(&self, algorithm: Algorithm, typ: &str, claims: &C) -> Result<String, Error> {
        let key = self.keys.iter().rev().find(|key| key.algorithm() == algorithm);
        let key = key.ok_or(InternalFault::NoSigningKey { algorithm: algorithm.name() })?;
        key.sign_jwt(typ, claims).map_err(|_| InternalFault::Signing.into())
    }

    /// The keys that verify: what is published, and what never is.
    pub(crate) fn verifying(&self) -> (KeySet, KeySet) {
        let (mut public, mut secret) = (KeySet::new(), KeySet::new());
        for key in &self.keys {
            let set = if key.algorithm().is_symmetric() { &mut secret } else { &mut public };
            // Names are thumbprints, so a second key of one name is the same key.
            let _ = set.insert(key.verifying_key());
        }
        (public, secret)
    }
}
