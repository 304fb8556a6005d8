//! No input makes anything panic, and verify and explain never disagree.

use misario_jose::{Algorithm, Jwk, JwkSet, KeySet, Scratch, SigningKey, Verifier, b64u};
use proptest::prelude::*;

use crate::support::{key, now, verifier};

fn agree(token: &str, keys: &KeySet) {
    let code = agreed(&verifier(), token, keys);
    assert!(code.is_some());
    agreed(&signature_only(), token, keys);
}

/// Whatever is signed, for whoever looks at signatures only.
fn signature_only() -> Verifier {
    Verifier::builder().algorithms(Algorithm::ALL).dangerous_any_typ().dangerous_without_claims().build()
}

/// What both say of the token.
fn agreed(verifier: &Verifier, token: &str, keys: &KeySet) -> Option<&'static str> {
    let code = verifier.verify(token, keys, now(), &mut Scratch::new()).err().map(|error| error.code());
    let told = verifier.explain(token, keys, now());
    assert_eq!((told.code, told.accepted), (code, code.is_none()));
    code
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
        let (token, keys) = signed(&b64u::encode(payload.as_bytes()));
        agree(&token, &keys);
    }

    #[test]
    fn arbitrary_signed_text_is_a_payload_if_it_is_base64url(payload in "[A-Za-z0-9_-]{0,9}") {
        let (token, keys) = signed(&payload);
        agree(&token, &keys);
        let code = agreed(&signature_only(), &token, &keys);
        prop_assert_eq!(code.is_none(), b64u::decode(&payload).is_some(), "{:?}", code);
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

/// A token with this third in the middle, and the key it is signed with.
fn signed(payload: &str) -> (String, KeySet) {
    let (key, keys) = key(Algorithm::Hs256);
    let head = format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{}"}}"#, key.kid());
    let signed = format!("{}.{payload}", b64u::encode(head.as_bytes()));
    let mac = hmac_sha256(&key.to_secret_bytes(), signed.as_bytes());
    (format!("{signed}.{}", b64u::encode(&mac)), keys)
}

/// HMAC from its definition (RFC 2104), so that a test can sign what the crate would not.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    use misario_jose::digest::sha256;
    let pad = |with: u8| -> Vec<u8> { (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ with).collect() };
    let inner = sha256(&[pad(0x36), message.to_vec()].concat());
    sha256(&[pad(0x5c), inner.to_vec()].concat())
}
