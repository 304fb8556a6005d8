//! The half of a key that makes signatures.

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::json::{Index, Object};
use crate::jwk::Params;
use crate::mac::MacKey;
use crate::{Algorithm, Entropy, Jwk, Jws, KeyError, KeyId, SignError, VerifyingKey, b64u, backend, digest};

use super::{pkcs8, strength::check_hmac_key};

/// A key that signs with its one algorithm, parsed once.
///
/// It has no `Display`, its `Debug` shows algorithm and id only, and its secret is wiped when dropped.
///
/// # Security
/// ECDSA signatures are hedged (natively) or derived from key and message (portable build, RFC 6979), so a weak
/// generator at signing time gives nothing away.
pub struct SigningKey {
    secret: Zeroizing<Vec<u8>>,
    /// `None` for a symmetric key, whose verifying half signs as well.
    pair: Option<backend::KeyPair>,
    verifying: VerifyingKey,
    kid: KeyId,
}

impl SigningKey {
    /// A key made from `entropy`, named after itself: the id of an asymmetric key is its RFC 7638 thumbprint.
    pub fn generate(algorithm: Algorithm, entropy: &dyn Entropy) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(seed.as_mut());
        // One seed in 2^32 is no P-256 scalar; the next candidate is derived from it, so even a generator that is
        // stuck cannot make this loop for ever.
        let stretch = MacKey::new(seed.as_ref());
        loop {
            if let Some(key) = Self::from_seed(algorithm, &seed) {
                return key;
            }
            seed = Zeroizing::new(stretch.tag(&[seed.as_ref()]));
        }
    }

    fn from_seed(algorithm: Algorithm, seed: &Zeroizing<[u8; 32]>) -> Option<Self> {
        match algorithm {
            Algorithm::Es256 => {
                let pair = backend::KeyPair::p256_from_scalar(seed)?;
                let secret = pkcs8::p256(seed, pair.public());
                Self::from_pair(algorithm, secret, pair).ok()
            }
            Algorithm::EdDsa => {
                let pair = backend::KeyPair::ed25519_from_seed(seed)?;
                Self::from_pair(algorithm, pkcs8::ed25519(seed), pair).ok()
            }
            Algorithm::Hs256 => Self::from_mac_secret(algorithm, Zeroizing::new(seed.to_vec())).ok(),
        }
    }

    /// The key that [`to_secret_bytes`](Self::to_secret_bytes) has written: PKCS#8 DER, or the raw key for HMAC.
    ///
    /// # Errors
    /// `key_secret_malformed`; for HMAC `key_hmac_too_short`, `key_hmac_well_known`, `key_hmac_low_entropy`.
    pub fn from_secret_bytes(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let secret = Zeroizing::new(secret.to_vec());
        if algorithm.is_symmetric() {
            check_hmac_key(&secret)?;
            return Self::from_mac_secret(algorithm, secret);
        }
        let pair = backend::KeyPair::from_pkcs8(algorithm, &secret).ok_or(KeyError::SecretMalformed { algorithm })?;
        Self::from_pair(algorithm, secret, pair)
    }

    fn from_pair(algorithm: Algorithm, secret: Zeroizing<Vec<u8>>, pair: backend::KeyPair) -> Result<Self, KeyError> {
        let params = Params::from_public(algorithm, pair.public())?;
        let kid = KeyId::new(&params.thumbprint())?;
        let verifying = VerifyingKey::from_jwk(&Jwk::new(params, algorithm, Some(kid.clone())))?;
        Ok(Self { secret, pair: Some(pair), verifying, kid })
    }

    fn from_mac_secret(algorithm: Algorithm, secret: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let key = MacKey::new(&secret);
        // Not a digest of the key itself: that would let anybody who sees the id test guesses without a token.
        let id = digest::sha256(&key.derive("key id"));
        let kid = KeyId::new(&b64u::encode(id.get(..16).unwrap_or_default()))?;
        let verifying = VerifyingKey::from_mac(algorithm, kid.clone(), key);
        Ok(Self { secret, pair: None, verifying, kid })
    }

    /// The same key under another id.
    ///
    /// # Security
    /// The id must stay unique among the keys of one type that a verifier holds.
    #[must_use]
    pub fn with_kid(self, kid: KeyId) -> Self {
        let verifying = self.verifying.with_kid(Some(kid.clone()));
        Self { verifying, kid, ..self }
    }

    /// The secret, to be stored encrypted: PKCS#8 DER, or the raw key for HMAC.
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.secret.clone()
    }

    /// The key's one algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// The key's id.
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The half that checks what this key signs.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.verifying.clone()
    }

    /// A compact token of the kind `typ` over `claims`, with `alg`, `typ` and `kid` in its header.
    ///
    /// # Errors
    /// `sign_claims_unserializable`, `sign_claims_refused` when the claims are not an object that a verifier reads,
    /// `sign_too_large` above 16 KiB.
    pub fn sign_jwt<C: Serialize>(&self, typ: &str, claims: &C) -> Result<String, SignError> {
        let claims = serde_json::to_vec(claims).map_err(|_| SignError::ClaimsUnserializable)?;
        Object::read(&claims, &mut Index::default()).map_err(|problem| SignError::ClaimsRefused { problem })?;
        let header = serde_json::to_vec(&Header { alg: self.algorithm(), typ, kid: self.kid.as_str() })
            .map_err(|_| SignError::Backend)?;
        self.sign_parts(&header, &claims)
    }

    fn sign_parts(&self, header: &[u8], claims: &[u8]) -> Result<String, SignError> {
        let signature_len = self.algorithm().signature_len();
        let size =
            [header.len(), claims.len(), signature_len].iter().fold(2, |size, part| size + (part * 4).div_ceil(3));
        if size > Jws::MAX_LEN {
            return Err(SignError::TooLarge { size, limit: Jws::MAX_LEN });
        }
        let mut token = String::with_capacity(size);
        b64u::encode_append(header, &mut token);
        token.push('.');
        b64u::encode_append(claims, &mut token);
        let message = token.as_bytes();
        if let Some(key) = self.verifying.mac() {
            let signature = key.raw(message);
            token.push('.');
            b64u::encode_append(&signature, &mut token);
        } else {
            let pair = self.pair.as_ref().ok_or(SignError::Backend)?;
            let signature = pair.sign(message).ok_or(SignError::Backend)?;
            token.push('.');
            b64u::encode_append(&signature, &mut token);
        }
        Ok(token)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: Algorithm,
    typ: &'a str,
    kid: &'a str,
}
