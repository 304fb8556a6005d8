//! Explanations: the sample token of every tutorial, and that nothing secret is shown.

use misario_jose::{Algorithm, Explanation, KeyError, KeySet, Outcome, Scratch, SigningKey, Verifier};
use serde_json::json;

use crate::support::{claims, key, now, verifier};

/// The token on the front page of a well-known token debugger, signed with `your-256-bit-secret`.
const SAMPLE: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";

fn outcome(explanation: &Explanation, name: &str) -> Outcome {
    explanation.checks.iter().find(|line| line.name == name).unwrap().outcome
}

fn fail(code: &'static str) -> Outcome {
    Outcome::Fail { code }
}

#[test]
fn the_sample_key_is_refused_as_well_known() {
    let refused = SigningKey::from_secret_bytes(Algorithm::Hs256, b"your-256-bit-secret").unwrap_err();
    assert_eq!(refused, KeyError::HmacWellKnown);
    assert_eq!(refused.code(), "key_hmac_well_known");
}

#[test]
fn the_sample_token_is_decoded_and_each_fault_is_told() {
    let verifier = Verifier::builder()
        .issuer("https://issuer.test")
        .audience("api.test")
        .typ("JWT")
        .algorithms(&[Algorithm::Hs256])
        .build();
    let told = verifier.explain(SAMPLE, &KeySet::new(), now());
    assert_eq!(told.header, json!({"alg": "HS256", "typ": "JWT"}));
    assert_eq!(told.claims, json!({"sub": "1234567890", "name": "John Doe", "iat": 1_516_239_022}));
    assert_eq!(told.size, SAMPLE.len());
    let bytes = [("sub", 19), ("name", 18), ("iat", 17)].map(|(name, size)| (name.to_owned(), size));
    assert_eq!(told.bytes_per_claim, bytes);

    assert!(!told.accepted);
    assert_eq!(told.code, Some("jwt_key_unknown"));
    for name in ["size", "shape", "header", "algorithm", "typ", "claims", "iat", "nbf", "sub", "jti", "required"] {
        assert_eq!(outcome(&told, name), Outcome::Pass, "{name}");
    }
    assert_eq!(outcome(&told, "key"), fail("jwt_key_unknown"));
    for name in ["signature", "lifetime", "expiry"] {
        assert_eq!(outcome(&told, name), Outcome::NotReached, "{name}");
    }
    for name in ["exp", "iss", "aud"] {
        assert_eq!(outcome(&told, name), fail("jwt_claim_missing"), "{name}");
    }
    let exp = told.checks.iter().find(|line| line.name == "exp").unwrap();
    assert_eq!(exp.problem.as_deref(), Some("the claim \"exp\" is missing"));
    assert_eq!(exp.seen.as_deref(), Some("(absent)"));
    assert!(exp.fix.is_some());
}

#[test]
fn the_sample_token_is_refused_by_every_usual_verifier() {
    let code =
        |verifier: Verifier| verifier.verify(SAMPLE, &KeySet::new(), now(), &mut Scratch::new()).unwrap_err().code();
    let usual = || Verifier::builder().issuer("https://issuer.test").audience("api.test");
    assert_eq!(code(usual().build()), "jwt_algorithm_not_allowed");
    assert_eq!(code(usual().algorithms(&[Algorithm::Hs256]).build()), "jwt_key_unknown");
}

#[test]
fn a_good_token_passes_every_line() {
    let (key, keys) = key(Algorithm::Es256);
    let told = verifier().explain(&key.sign_jwt("at+jwt", &claims()).unwrap(), &keys, now());
    assert!(told.accepted && told.code.is_none());
    assert_eq!(told.claims, claims());
    assert_eq!(told.key.unwrap().kid.as_deref(), Some(key.kid().as_str()));
    let names: Vec<&str> = told.checks.iter().map(|line| line.name).collect();
    assert_eq!(
        names,
        [
            "size",
            "shape",
            "header",
            "algorithm",
            "key",
            "signature",
            "typ",
            "claims",
            "exp",
            "iat",
            "nbf",
            "iss",
            "aud",
            "sub",
            "jti",
            "required",
            "lifetime",
            "expiry",
        ]
    );
    assert!(told.checks.iter().all(|line| line.outcome == Outcome::Pass));
}

#[test]
fn neither_signature_nor_key_appears_in_an_explanation() {
    for &algorithm in Algorithm::ALL {
        let (key, keys) = key(algorithm);
        let token = key.sign_jwt("at+jwt", &claims()).unwrap();
        let told = serde_json::to_string(&verifier().explain(&token, &keys, now())).unwrap();
        let signature = token.rsplit('.').next().unwrap();
        assert!(!told.contains(signature) && !told.contains(&signature[..16]));
        let secret = misario_jose::b64u::encode(&key.to_secret_bytes());
        assert!(!told.contains(&secret[..16]));
    }
}

#[test]
fn a_token_that_is_too_large_is_not_looked_into() {
    let told = verifier().explain(&"e".repeat(20_000), &KeySet::new(), now());
    assert_eq!(told.code, Some("jwt_too_large"));
    let reached = told.checks.iter().filter(|line| line.outcome != Outcome::NotReached).count();
    assert_eq!((reached, told.header.is_null(), told.claims.is_null()), (1, true, true));
}

#[test]
fn two_parts_and_an_encrypted_token_are_told_apart_by_their_advice() {
    let advice = |token: &str| {
        let told = verifier().explain(token, &KeySet::new(), now());
        assert_eq!(told.code, Some("jwt_malformed_segments"));
        told.checks.iter().find(|line| line.name == "shape").unwrap().fix.unwrap()
    };
    assert_ne!(advice("e30.e30"), advice("e30.e30.e30.e30.e30"));
}
