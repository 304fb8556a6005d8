//! The keys of one issuer.

use crate::{Algorithm, JwkSet, JwtError, KeyError, KeyId, VerifyingKey};

/// The verifying keys of one issuer: all asymmetric or all symmetric.
///
/// Never mix issuers in one set: the key of one would verify tokens that name the other (RFC 8725 §3.8).
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
}

impl KeySet {
    /// A set without keys, which refuses every token.
    pub const fn new() -> Self {
        Self { keys: Vec::new() }
    }

    /// Adds a key.
    ///
    /// # Errors
    /// `key_set_mixed` when symmetric and asymmetric keys would stand together: a public key, which everybody has,
    /// could then be tried as an HMAC secret. `key_id_duplicate` when a key of the same type has the same id;
    /// two ids of different types are told apart by the algorithm (RFC 7517 §4.5).
    pub fn insert(&mut self, key: VerifyingKey) -> Result<(), KeyError> {
        let symmetric = key.algorithm().is_symmetric();
        if self.keys.iter().any(|held| held.algorithm().is_symmetric() != symmetric) {
            return Err(KeyError::SetMixed);
        }
        let same =
            |held: &VerifyingKey| held.kid().is_some() && held.kid() == key.kid() && held.key_type() == key.key_type();
        if self.keys.iter().any(same) {
            return Err(KeyError::KidDuplicate);
        }
        self.keys.push(key);
        Ok(())
    }

    /// Takes out every key with this id, and says whether there was one.
    pub fn remove(&mut self, kid: &KeyId) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.kid() != Some(kid));
        self.keys.len() < before
    }

    /// The keys, in the order they were added.
    pub fn iter(&self) -> std::slice::Iter<'_, VerifyingKey> {
        self.keys.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The public half of the set, for publication.
    pub fn to_jwk_set(&self) -> JwkSet {
        JwkSet::of(self)
    }

    /// The one key for tokens of `algorithm` that name `kid`, or name none.
    ///
    /// A token's `kid` has to be that of a held key; a key without id stands in when it is the only one of its
    /// algorithm. A token without `kid` is served when one key of its algorithm is held.
    ///
    /// # Errors
    /// `jwt_key_unknown`, `jwt_key_ambiguous`, or `jwt_key_algorithm_mismatch` when the named key is for another
    /// algorithm.
    pub fn find(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<&VerifyingKey, JwtError> {
        let Some(kid) = kid else {
            return self.only(algorithm);
        };
        let mut named = self.keys.iter().filter(|key| key.kid().is_some_and(|held| held.as_str() == kid));
        let Some(first) = named.next() else {
            return self.unnamed(algorithm);
        };
        std::iter::once(first)
            .chain(named)
            .find(|key| key.algorithm() == algorithm)
            .ok_or(JwtError::KeyAlgorithmMismatch { key: first.algorithm(), token: algorithm })
    }

    /// The key without id that stands for every id. Beside others of its algorithm it does not: an id that nobody has
    /// may be that of a key which was just taken out.
    fn unnamed(&self, algorithm: Algorithm) -> Result<&VerifyingKey, JwtError> {
        let mut unnamed = self.keys.iter().filter(|key| key.algorithm() == algorithm && key.kid().is_none());
        if unnamed.next().is_some() { self.only(algorithm) } else { Err(JwtError::KeyUnknown) }
    }

    fn only(&self, algorithm: Algorithm) -> Result<&VerifyingKey, JwtError> {
        let mut fitting = self.keys.iter().filter(|key| key.algorithm() == algorithm);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(JwtError::KeyAmbiguous),
            (None, _) => Err(JwtError::KeyUnknown),
        }
    }
}

impl<'a> IntoIterator for &'a KeySet {
    type Item = &'a VerifyingKey;
    type IntoIter = std::slice::Iter<'a, VerifyingKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::KeySet;
    use crate::{Algorithm, Entropy, JwtError, KeyError, KeyId, SigningKey, VerifyingKey};

    struct Counter(u8);

    impl Entropy for Counter {
        fn fill(&self, dest: &mut [u8]) {
            dest.copy_from_slice(&crate::digest::sha256(&[self.0])[..dest.len()]);
        }
    }

    fn key(algorithm: Algorithm, seed: u8, kid: Option<&str>) -> VerifyingKey {
        SigningKey::generate(algorithm, &Counter(seed))
            .verifying_key()
            .with_kid(kid.map(|kid| KeyId::new(kid).unwrap()))
    }

    #[test]
    fn a_key_is_found_by_id_and_algorithm() {
        let mut set = KeySet::new();
        set.insert(key(Algorithm::Es256, 1, Some("a"))).unwrap();
        set.insert(key(Algorithm::EdDsa, 2, Some("a"))).unwrap();
        set.insert(key(Algorithm::EdDsa, 3, Some("b"))).unwrap();
        for alg in [Algorithm::Es256, Algorithm::EdDsa] {
            assert_eq!(set.find(alg, Some("a")).unwrap().algorithm(), alg);
        }
        assert_eq!(set.find(Algorithm::Es256, None).unwrap().kid().unwrap().as_str(), "a");
        assert_eq!(set.find(Algorithm::EdDsa, None).unwrap_err(), JwtError::KeyAmbiguous);
        assert_eq!(set.find(Algorithm::EdDsa, Some("c")).unwrap_err(), JwtError::KeyUnknown);
        let mismatch = JwtError::KeyAlgorithmMismatch { key: Algorithm::EdDsa, token: Algorithm::Es256 };
        assert_eq!(set.find(Algorithm::Es256, Some("b")).unwrap_err(), mismatch);
    }

    #[test]
    fn a_key_without_id_serves_any_id_only_when_it_is_alone() {
        let mut set = KeySet::new();
        set.insert(key(Algorithm::Es256, 1, None)).unwrap();
        assert!(set.find(Algorithm::Es256, Some("x")).is_ok());
        for beside in [None, Some("a")] {
            let mut set = set.clone();
            set.insert(key(Algorithm::Es256, 2, beside)).unwrap();
            assert_eq!(set.find(Algorithm::Es256, Some("x")).unwrap_err(), JwtError::KeyAmbiguous, "{beside:?}");
            assert_eq!(set.find(Algorithm::Es256, None).unwrap_err(), JwtError::KeyAmbiguous, "{beside:?}");
            assert_eq!(set.find(Algorithm::Es256, Some("a")).is_ok(), beside.is_some());
        }
        // A key of another algorithm is nobody to be confused with.
        set.insert(key(Algorithm::EdDsa, 3, Some("a"))).unwrap();
        assert!(set.find(Algorithm::Es256, Some("x")).is_ok());
        assert_eq!(set.find(Algorithm::EdDsa, Some("x")).unwrap_err(), JwtError::KeyUnknown);
    }

    #[test]
    fn symmetric_and_asymmetric_keys_never_stand_together() {
        let mut set = KeySet::new();
        set.insert(key(Algorithm::Es256, 1, Some("a"))).unwrap();
        assert_eq!(set.insert(key(Algorithm::Hs256, 2, Some("b"))), Err(KeyError::SetMixed));
        let mut set = KeySet::new();
        set.insert(key(Algorithm::Hs256, 2, Some("b"))).unwrap();
        assert_eq!(set.insert(key(Algorithm::EdDsa, 1, Some("a"))), Err(KeyError::SetMixed));
    }

    #[test]
    fn an_id_is_held_once_per_key_type_and_can_be_removed() {
        let mut set = KeySet::new();
        set.insert(key(Algorithm::Es256, 1, Some("a"))).unwrap();
        assert_eq!(set.insert(key(Algorithm::Es256, 2, Some("a"))), Err(KeyError::KidDuplicate));
        assert!(set.remove(&KeyId::new("a").unwrap()));
        assert!(!set.remove(&KeyId::new("a").unwrap()));
        assert!(set.is_empty());
    }
}
