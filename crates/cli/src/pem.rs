//! Public keys in PEM (RFC 7468), as the JWK that says the same. Only the two fixed forms that fit our algorithms are
//! read; a general ASN.1 reader would be more code than everything it is for.

use misario_jose::{KeyError, b64u};
use serde_json::{Value, json};

/// `SubjectPublicKeyInfo` of an uncompressed P-256 point (RFC 5480 §2), up to the point.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
/// `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410 §4), up to the key.
const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The key set with the one public key that `text` holds.
///
/// # Errors
/// `key_private_in_public_set` for a private key, `key_type_unsupported` for any other kind of key.
pub(crate) fn key_set(text: &str) -> Result<Value, KeyError> {
    let (label, der) = block(text).ok_or(KeyError::TypeUnsupported)?;
    if label.ends_with("PRIVATE KEY") {
        return Err(KeyError::PrivateInPublicSet);
    }
    if let Some(point) = der.strip_prefix(P256).filter(|point| point.len() == 64) {
        let (x, y) = point.split_at(32);
        let key = json!({ "kty": "EC", "crv": "P-256", "x": b64u::encode(x), "y": b64u::encode(y) });
        return Ok(json!({ "keys": [key] }));
    }
    if let Some(x) = der.strip_prefix(ED25519).filter(|x| x.len() == 32) {
        return Ok(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": b64u::encode(x) }] }));
    }
    Err(KeyError::TypeUnsupported)
}

/// The label and content of the first block.
fn block(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let plain: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let unpadded = plain.trim_end_matches('=').replace('+', "-").replace('/', "_");
    Some((label, b64u::decode(&unpadded)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ed25519_key_is_read() {
        let key = key_set(
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
        );
        assert_eq!(key.unwrap()["keys"][0]["x"], "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE");
    }

    #[test]
    fn private_and_foreign_keys_are_refused_by_name() {
        let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----";
        assert_eq!(key_set(private), Err(KeyError::PrivateInPublicSet));
        let foreign = "-----BEGIN PUBLIC KEY-----\nMC4CAQ==\n-----END PUBLIC KEY-----";
        assert_eq!(key_set(foreign), Err(KeyError::TypeUnsupported));
        assert_eq!(key_set("no key"), Err(KeyError::TypeUnsupported));
    }
}
