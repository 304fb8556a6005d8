//! Sets of keys (RFC 7517 §5).

use serde::Serialize;
use zeroize::Zeroizing;

use crate::json::{Index, Kind, Object, Value};
use crate::{Algorithm, Jwk, KeyError, KeyId, KeySet, VerifyingKey};

use super::read;

/// A set of public keys as JSON describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// A key of a set that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableKey {
    /// Its place in the set, from 0.
    pub index: usize,
    /// Its id, as far as it has a valid one.
    pub kid: Option<KeyId>,
    /// Why it cannot be used.
    pub error: KeyError,
}

impl JwkSet {
    /// The largest text that is read as a set, in octets.
    pub const MAX_LEN: usize = 256 * 1024;
    /// The most keys that are read.
    pub const MAX_KEYS: usize = 100;

    /// The usable keys of a published set, and the unusable ones with their reasons.
    ///
    /// A key of an unknown type, curve or algorithm is left out and the rest is used, as RFC 7517 §5 asks. A private
    /// or symmetric key is left out too, with a code that ought to raise an alarm.
    ///
    /// # Errors
    /// `key_set_too_large`, `key_set_too_many_keys`, `key_malformed_json`, `key_set_without_keys`,
    /// `key_id_duplicate`: then no key of the set is used.
    pub fn parse_public(text: &[u8]) -> Result<(KeySet, Vec<UnusableKey>), KeyError> {
        parse(text, |object| VerifyingKey::from_jwk(&read::public(object)?))
    }

    /// The usable keys of a set of symmetric keys from configuration, and the unusable ones with their reasons.
    ///
    /// # Errors
    /// As [`parse_public`](Self::parse_public), and `key_set_mixed` when an asymmetric key stands among them.
    pub fn parse_secret(text: &[u8]) -> Result<(KeySet, Vec<UnusableKey>), KeyError> {
        let mut mixed = false;
        let parsed = parse(text, |object| {
            let kty = read::string(object, "kty")?;
            mixed |= matches!(kty.as_deref(), Some("RSA" | "EC" | "OKP"));
            secret(object)
        })?;
        if mixed { Err(KeyError::SetMixed) } else { Ok(parsed) }
    }

    /// The usable keys of a set from configuration that is all public or all symmetric, and the unusable ones with
    /// their reasons.
    ///
    /// # Errors
    /// As [`parse_public`](Self::parse_public), and `key_set_mixed` when both kinds stand in it, usable or not.
    pub fn parse_configured(text: &[u8]) -> Result<(KeySet, Vec<UnusableKey>), KeyError> {
        let (mut public, mut symmetric) = (false, false);
        let parsed = parse(text, |object| {
            if read::string(object, "kty")?.as_deref() == Some("oct") {
                symmetric = true;
                secret(object)
            } else {
                public = true;
                VerifyingKey::from_jwk(&read::public(object)?)
            }
        })?;
        if public && symmetric { Err(KeyError::SetMixed) } else { Ok(parsed) }
    }

    /// The public half of `keys`; symmetric keys have none and are left out.
    pub fn of(keys: &KeySet) -> Self {
        keys.iter().filter_map(VerifyingKey::to_jwk).collect()
    }

    /// The set as JSON, public members only.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The keys.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }
}

impl FromIterator<Jwk> for JwkSet {
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        Self { keys: keys.into_iter().collect() }
    }
}

fn parse(
    text: &[u8],
    mut read: impl FnMut(&Object<'_>) -> Result<VerifyingKey, KeyError>,
) -> Result<(KeySet, Vec<UnusableKey>), KeyError> {
    if text.len() > JwkSet::MAX_LEN {
        return Err(KeyError::SetTooLarge { size: text.len(), limit: JwkSet::MAX_LEN });
    }
    let mut index = Index::default();
    let set = Object::read(text, &mut index).map_err(|problem| KeyError::Json { problem })?;
    let listed = set.get("keys").ok_or(KeyError::SetWithoutKeys)?;
    let entries = entries(listed)?;
    let (mut usable, mut unusable) = (KeySet::new(), Vec::new());
    let mut index = Index::default();
    for (place, entry) in entries.into_iter().enumerate() {
        let key = Object::read(entry.raw().as_bytes(), &mut index)
            .map_err(|problem| (None, KeyError::Json { problem }))
            .and_then(|object| read(&object).map_err(|error| (read::kid(&object).ok().flatten(), error)));
        match key {
            // An ambiguous or mixed set is the publisher's mistake as a whole: no key of it can be trusted to be meant.
            Ok(key) => usable.insert(key)?,
            Err((kid, error)) => unusable.push(UnusableKey { index: place, kid, error }),
        }
    }
    Ok((usable, unusable))
}

fn entries(listed: Value<'_>) -> Result<Vec<Value<'_>>, KeyError> {
    if listed.kind() != Kind::Array {
        return Err(KeyError::SetWithoutKeys);
    }
    let mut entries = Vec::new();
    let within = listed.all_elements(|entry| {
        entries.push(entry);
        entries.len() <= JwkSet::MAX_KEYS
    });
    if within { Ok(entries) } else { Err(KeyError::SetTooManyKeys { limit: JwkSet::MAX_KEYS }) }
}

fn secret(object: &Object<'_>) -> Result<VerifyingKey, KeyError> {
    let kty = read::string(object, "kty")?.ok_or(KeyError::MemberMalformed { member: "kty" })?;
    if kty != "oct" {
        return Err(KeyError::TypeUnsupported);
    }
    let kid = read::kid(object)?;
    read::check_purpose(object)?;
    read::check_algorithm(object, Algorithm::Hs256)?;
    let secret = Zeroizing::new(read::octets(object, "k")?);
    VerifyingKey::from_secret(Algorithm::Hs256, &secret, kid)
}
