//! No input makes anything panic, and verify and explain never disagree.

use misario_jose::{Algorithm, Jwk, JwkSet, KeySet, Scratch, SigningKey, b64u};
use proptest::prelude::*;

use crate::support::{key, now, verifier};

fn agree(token: &str, keys: &KeySet) {
    let verifier = verifier();
    let code = verifier.verify(token, keys, now(), &mut Scratch::new()).err().map(|error| error.code());
    assert_eq!(verifier.explain(token, keys, now()).code, code);
    assert!(code.is_some());
}

proptest! {
    #[test]
    fn arbitrary_text_is_no_token(text in any::<String>()) {
        agree(&text, &key(Algorithm::Es256).1);
    }

    #[test]
    fn arbitrary_parts_are_no_token(parts in proptest::collection::vec("[A-Za-z0-9_-]{0,40}", 0..6)) {
        agree(&parts.join("."), &key(Algorithm::Es256).1);
    }

    #[test]
    fn arbitrary_headers_are_refused(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>()) {
        agree(&format!("{}.{}.{}", b64u::encode(&header), b64u::encode(&payload), "A".repeat(86)), &key(Algorithm::Es256).1);
    }

    #[test]
    fn arbitrary_signed_payloads_are_refused_or_claims(payload in r#"\{("(exp|nbf|iat|aud|iss|sub|x)":([0-9.e-]{1,6}|"[a-z\\u0]{0,6}"|\[\]|null),?){0,5}\}"#) {
        // Signed by hand: sign_jwt would not sign such payloads.
        let (key, keys) = key(Algorithm::Hs256);
        let head = format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{}"}}"#, key.kid());
        let signed = format!("{}.{}", b64u::encode(head.as_bytes()), b64u::encode(payload.as_bytes()));
        let mac = hmac_sha256(&key.to_secret_bytes(), signed.as_bytes());
        agree(&format!("{signed}.{}", b64u::encode(&mac)), &keys);
    }

    #[test]
    fn arbitrary_octets_are_no_key(octets in any::<Vec<u8>>()) {
        let _ = JwkSet::parse_public(&octets);
        let _ = JwkSet::parse_secret(&octets);
        let _ = Jwk::parse_public(&octets);
        for &algorithm in Algorithm::ALL {
            let read = SigningKey::from_secret_bytes(algorithm, &octets);
            prop_assert!(algorithm.is_symmetric() || read.is_err());
        }
    }

    #[test]
    fn arbitrary_key_members_are_refused(
        kty in "(EC|OKP|RSA|oct|[a-z]{1,3})", crv in "(P-256|Ed25519|[a-z]{1,3})", x in any::<[u8; 32]>(), y in any::<Vec<u8>>(),
    ) {
        let jwk = format!(r#"{{"keys":[{{"kty":"{kty}","crv":"{crv}","x":"{}","y":"{}"}}]}}"#, b64u::encode(&x), b64u::encode(&y));
        let (keys, unusable) = JwkSet::parse_public(jwk.as_bytes()).unwrap();
        prop_assert_eq!(keys.len() + unusable.len(), 1);
    }
}

/// HMAC from its definition (RFC 2104), so that a test can sign what the crate would not.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    use misario_jose::digest::sha256;
    let pad = |with: u8| -> Vec<u8> { (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ with).collect() };
    let inner = sha256(&[pad(0x36), message.to_vec()].concat());
    sha256(&[pad(0x5c), inner.to_vec()].concat())
}
