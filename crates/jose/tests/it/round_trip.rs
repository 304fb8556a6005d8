//! What is signed verifies, what is stored comes back, and any change breaks it.

use crate::support::{NOW, Seeded, claims, key, now, verifier};
use misario_jose::{Algorithm, JwkSet, JwtError, Scratch, SignError, SigningKey, UnixTime, b64u};
use serde_json::{Value, json};

#[test]
fn a_signed_token_verifies_and_tells_what_was_signed() {
    for &algorithm in Algorithm::ALL {
        let (key, keys) = key(algorithm);
        let token = key.sign_jwt("at+jwt", &claims()).unwrap();
        let mut scratch = Scratch::new();
        let jwt = verifier().verify(&token, &keys, now(), &mut scratch).unwrap();
        assert_eq!(jwt.algorithm(), algorithm);
        assert_eq!(jwt.kid(), Some(key.kid().as_str()));
        assert_eq!((jwt.issuer(), jwt.subject(), jwt.jwt_id()), ("https://issuer.test", Some("user-1"), Some("j1")));
        assert_eq!(jwt.expires(), UnixTime::from_secs(NOW + 600));
        assert_eq!(jwt.issued_at(), Some(UnixTime::from_secs(NOW - 10)));
        assert_eq!(jwt.claims::<Value>().unwrap(), claims());
        assert_eq!(jwt.claims::<Vec<u8>>().unwrap_err(), JwtError::ClaimsUnreadable);
    }
}

#[test]
fn a_stored_key_comes_back_as_itself() {
    for &algorithm in Algorithm::ALL {
        let (key, keys) = key(algorithm);
        let stored = key.to_secret_bytes();
        let back = SigningKey::from_secret_bytes(algorithm, &stored).unwrap();
        assert_eq!(back.kid(), key.kid());
        assert_eq!(back.to_secret_bytes(), stored);
        let token = back.sign_jwt("at+jwt", &claims()).unwrap();
        assert!(verifier().verify(&token, &keys, now(), &mut Scratch::new()).is_ok());
        let damaged = &stored[..stored.len() - 1];
        assert!(SigningKey::from_secret_bytes(algorithm, damaged).is_err());
    }
}

#[test]
fn generated_keys_follow_the_entropy_and_differ_with_it() {
    for &algorithm in Algorithm::ALL {
        let kid = |seed| SigningKey::generate(algorithm, &Seeded(seed)).kid().clone();
        assert_eq!(kid(1), kid(1));
        assert_ne!(kid(1), kid(2));
    }
}

/// Ids and secrets are stored formats: both backends make these very keys of the same entropy.
#[test]
fn both_backends_make_the_same_keys() {
    let kid = |algorithm| SigningKey::generate(algorithm, &Seeded(1)).kid().to_string();
    assert_eq!(kid(Algorithm::Es256), "oPUhpnczLQtBWpeSzn8dBHDCw4fjEo-CWA2c4_3xFnE");
    assert_eq!(kid(Algorithm::EdDsa), "UyUvzlpWMoPkD-FMUHq_55QBH0z4dkrgd0sMuFp34vU");
    assert_eq!(kid(Algorithm::Hs256), "fmCPFrC8LoVIRemttlll2A");
}

#[test]
fn a_stuck_generator_still_ends_in_a_key() {
    struct Stuck(u8);
    impl misario_jose::Entropy for Stuck {
        fn fill(&self, dest: &mut [u8]) {
            dest.fill(self.0);
        }
    }
    // 32 octets of 0x00 or 0xff are no P-256 scalar.
    for octet in [0, 0xff] {
        let key = SigningKey::generate(Algorithm::Es256, &Stuck(octet));
        assert!(SigningKey::from_secret_bytes(Algorithm::Es256, &key.to_secret_bytes()).is_ok());
    }
}

#[test]
fn a_published_set_verifies_and_holds_nothing_secret() {
    let mut published = Vec::new();
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        published.push(key(algorithm).0.verifying_key().to_jwk().unwrap());
    }
    assert!(key(Algorithm::Hs256).0.verifying_key().to_jwk().is_none());
    let json = published.into_iter().collect::<JwkSet>().to_json();
    let parsed: Value = serde_json::from_str(&json).unwrap();
    for jwk in parsed["keys"].as_array().unwrap() {
        let names: Vec<&String> = jwk.as_object().unwrap().keys().collect();
        assert!(
            names.iter().all(|name| ["kty", "crv", "x", "y", "kid", "alg", "use"].contains(&name.as_str())),
            "{jwk}"
        );
    }
    let (keys, unusable) = JwkSet::parse_public(json.as_bytes()).unwrap();
    assert_eq!((keys.len(), unusable.len()), (2, 0));
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let token = key(algorithm).0.sign_jwt("at+jwt", &claims()).unwrap();
        assert!(verifier().verify(&token, &keys, now(), &mut Scratch::new()).is_ok());
    }
}

#[test]
fn every_flipped_bit_of_the_signature_is_refused() {
    for &algorithm in Algorithm::ALL {
        let (key, keys) = key(algorithm);
        let token = key.sign_jwt("at+jwt", &claims()).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = b64u::decode(signature).unwrap();
        let (verifier, mut scratch) = (verifier(), Scratch::new());
        for bit in 0..signature.len() * 8 {
            let mut flipped = signature.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let token = format!("{signed}.{}", b64u::encode(&flipped));
            let refused = verifier.verify(&token, &keys, now(), &mut scratch).unwrap_err();
            assert_eq!(refused, JwtError::SignatureInvalid, "{algorithm} bit {bit}");
        }
    }
}

#[test]
fn every_deleted_doubled_or_changed_character_is_refused() {
    for &algorithm in Algorithm::ALL {
        let (key, keys) = key(algorithm);
        let token = key.sign_jwt("at+jwt", &claims()).unwrap();
        let (verifier, mut scratch) = (verifier(), Scratch::new());
        for at in 0..token.len() {
            let (head, tail) = (&token[..at], &token[at + 1..]);
            let c = &token[at..=at];
            let other = if c == "A" { "B" } else { "A" };
            for changed in [format!("{head}{tail}"), format!("{head}{c}{c}{tail}"), format!("{head}{other}{tail}")] {
                assert!(verifier.verify(&changed, &keys, now(), &mut scratch).is_err(), "{algorithm} at {at}");
            }
        }
        assert!(verifier.verify(&token, &keys, now(), &mut scratch).is_ok());
    }
}

#[test]
fn parts_of_two_good_tokens_do_not_make_a_third() {
    for &algorithm in Algorithm::ALL {
        let (key, keys) = key(algorithm);
        let mut other = claims();
        other["sub"] = json!("user-2");
        let tokens = [key.sign_jwt("at+jwt", &claims()).unwrap(), key.sign_jwt("at+jwt", &other).unwrap()];
        let parts: Vec<Vec<&str>> = tokens.iter().map(|token| token.split('.').collect()).collect();
        let mixed = format!("{}.{}.{}", parts[0][0], parts[0][1], parts[1][2]);
        let refused = verifier().verify(&mixed, &keys, now(), &mut Scratch::new()).unwrap_err();
        assert_eq!(refused, JwtError::SignatureInvalid);
    }
}

#[test]
fn a_key_of_another_type_never_verifies() {
    for &signed in Algorithm::ALL {
        for &held in Algorithm::ALL.iter().filter(|held| **held != signed) {
            let token = key(signed).0.sign_jwt("at+jwt", &claims()).unwrap();
            let refused = verifier().verify(&token, &key(held).1, now(), &mut Scratch::new()).unwrap_err();
            assert_eq!(refused, JwtError::KeyUnknown, "{signed} under {held}");
        }
    }
}

#[test]
fn nothing_is_signed_that_no_verifier_would_read() {
    let (key, _) = key(Algorithm::EdDsa);
    let code = |claims: &Value| key.sign_jwt("at+jwt", claims).unwrap_err().code();
    assert_eq!(code(&json!([1])), "sign_claims_refused");
    assert_eq!(code(&json!("text")), "sign_claims_refused");
    assert_eq!(code(&json!({"a": "x".repeat(12_300)})), "sign_too_large");
    assert!(matches!(
        key.sign_jwt("at+jwt", &std::collections::BTreeMap::from([((1, 2), 3)])),
        Err(SignError::ClaimsUnserializable)
    ));
    let widest = json!({"a": "x".repeat(12_000)});
    assert!(key.sign_jwt("at+jwt", &widest).unwrap().len() <= misario_jose::Jws::MAX_LEN);
}

#[test]
fn a_key_shows_its_name_and_nothing_else() {
    for &algorithm in Algorithm::ALL {
        let key = key(algorithm).0;
        let shown = format!("{key:?} {:?}", key.verifying_key());
        assert!(shown.contains(key.kid().as_str()));
        let secret = key.to_secret_bytes();
        for window in secret.windows(8) {
            let hex: Vec<String> = window.iter().map(|octet| format!("{octet:02x}")).collect();
            assert!(!shown.contains(&hex.concat()), "{shown}");
            assert!(!shown.contains(&format!("{window:?}")[1..20]), "{shown}");
        }
    }
}

/// A nonce that repeats across two messages gives away the private key.
#[test]
fn ten_thousand_signatures_never_repeat_a_nonce() {
    let key = key(Algorithm::Es256).0;
    let mut seen = std::collections::HashSet::new();
    for n in 0..10_000 {
        let token = key.sign_jwt("t", &json!({ "n": n })).unwrap();
        let signature = b64u::decode(token.rsplit('.').next().unwrap()).unwrap();
        assert!(seen.insert(signature[..32].to_vec()), "message {n}");
    }
}
