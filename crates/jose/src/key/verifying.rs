//! The half of a key that checks signatures.

use std::fmt;
use std::sync::Arc;

use crate::jwk::{Params, edwards};
use crate::mac::MacKey;
use crate::{Algorithm, Jwk, KeyError, KeyId, backend, compare, jwk};

use super::strength::check_hmac_key;

/// A key that checks signatures of its one algorithm, parsed once. Cloning shares it.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

struct Inner {
    algorithm: Algorithm,
    kid: Option<KeyId>,
    material: Arc<Material>,
}

enum Material {
    Public { key: backend::PublicKey, params: Params },
    Secret(MacKey),
}

impl VerifyingKey {
    /// The key that a public JWK describes.
    ///
    /// # Errors
    /// `key_algorithm_unsupported` for a type whose algorithms are not built in; `key_point_…` when the public point
    /// is not one that signatures can be checked with.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let params = jwk.params().clone();
        let algorithm = params.algorithm().ok_or(KeyError::AlgorithmUnsupported)?;
        let key = params.public_key()?;
        let material = Material::Public { key, params };
        Ok(Self::new(algorithm, jwk.kid().cloned(), material))
    }

    /// The symmetric key made of `secret`.
    ///
    /// # Errors
    /// `key_algorithm_unsupported` for an asymmetric algorithm; `key_hmac_…` when the secret is weak.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8], kid: Option<KeyId>) -> Result<Self, KeyError> {
        if !algorithm.is_symmetric() {
            return Err(KeyError::AlgorithmUnsupported);
        }
        check_hmac_key(secret)?;
        Ok(Self::new(algorithm, kid, Material::Secret(MacKey::new(secret))))
    }

    /// A generated symmetric key, which is not judged: it has just been made from entropy.
    pub(crate) fn from_mac(algorithm: Algorithm, kid: KeyId, key: MacKey) -> Self {
        Self::new(algorithm, Some(kid), Material::Secret(key))
    }

    fn new(algorithm: Algorithm, kid: Option<KeyId>, material: Material) -> Self {
        Self(Arc::new(Inner { algorithm, kid, material: Arc::new(material) }))
    }

    /// The same key under another id, or under none: a key without an id serves tokens of any `kid`, when it is the
    /// only one of its algorithm in its set.
    #[must_use]
    pub fn with_kid(&self, kid: Option<KeyId>) -> Self {
        Self(Arc::new(Inner { algorithm: self.0.algorithm, kid, material: Arc::clone(&self.0.material) }))
    }

    /// The key's one algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// The key's id.
    pub fn kid(&self) -> Option<&KeyId> {
        self.0.kid.as_ref()
    }

    /// The public JWK of the key; `None` when the key is symmetric and has no public form.
    pub fn to_jwk(&self) -> Option<Jwk> {
        match &*self.0.material {
            Material::Public { params, .. } => Some(Jwk::new(params.clone(), self.0.algorithm, self.0.kid.clone())),
            Material::Secret(_) => None,
        }
    }

    /// Whether `signature` was made over `message` with this key's signing half.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &*self.0.material {
            // R of small order takes no knowledge of a nonce: some libraries accept such signatures, some do not, and
            // only then would the two backends differ.
            Material::Public { params: Params::Ed25519 { .. }, .. }
                if signature.first_chunk().is_none_or(edwards::is_small_order) =>
            {
                false
            }
            Material::Public { key, .. } => key.verify(message, signature),
            Material::Secret(key) => compare::constant_time_eq(&key.raw(message), signature),
        }
    }

    /// What the key's ids must differ within (`kty`).
    pub(crate) fn key_type(&self) -> jwk::KeyType {
        match &*self.0.material {
            Material::Public { params, .. } => params.key_type(),
            Material::Secret(_) => jwk::KeyType::Symmetric,
        }
    }

    /// The secret half's MAC, when the key is symmetric.
    pub(crate) fn mac(&self) -> Option<&MacKey> {
        match &*self.0.material {
            Material::Public { .. } => None,
            Material::Secret(key) => Some(key),
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.0.algorithm)
            .field("kid", &self.0.kid)
            .finish_non_exhaustive()
    }
}
