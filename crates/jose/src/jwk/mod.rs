//! Public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037).
//!
//! Nothing in here holds a secret: reading refuses private members, and there is no field to keep one in, so no set
//! that is written can publish one.

pub(crate) mod edwards;
mod params;
mod read;
mod set;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

pub(crate) use params::{KeyType, Params};
pub use set::{JwkSet, UnusableKey};

use crate::json::{Index, Object};
use crate::{Algorithm, KeyError, KeyId};

/// A public key as JSON describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    params: Params,
    algorithm: Option<Algorithm>,
    kid: Option<KeyId>,
}

impl Jwk {
    /// The public key in a JSON text.
    ///
    /// # Errors
    /// `key_malformed_json` when the text is not strict JSON, else the reason why the key cannot be used for checking
    /// signatures, by its `key_…` code.
    pub fn parse_public(text: &[u8]) -> Result<Self, KeyError> {
        let mut index = Index::default();
        let object = Object::read(text, &mut index).map_err(|problem| KeyError::Json { problem })?;
        read::public(&object)
    }

    pub(crate) const fn new(params: Params, algorithm: Algorithm, kid: Option<KeyId>) -> Self {
        Self { params, algorithm: Some(algorithm), kid }
    }

    pub(crate) const fn params(&self) -> &Params {
        &self.params
    }

    /// The algorithm the key is for, when it is one that is built in.
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The key's id.
    pub const fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// The SHA-256 thumbprint (RFC 7638), base64url: the same for every description of the key.
    pub fn thumbprint(&self) -> String {
        self.params.thumbprint()
    }

    /// The key as JSON, public members only.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.params.members() {
            map.serialize_entry(name, &value)?;
        }
        if let Some(kid) = &self.kid {
            map.serialize_entry("kid", kid.as_str())?;
        }
        if let Some(algorithm) = self.algorithm {
            map.serialize_entry("alg", &algorithm)?;
        }
        map.serialize_entry("use", "sig")?;
        map.end()
    }
}
