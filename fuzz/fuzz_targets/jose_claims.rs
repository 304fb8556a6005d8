//! Arbitrary claims under a good signature: what is accepted is alive, for us and from our issuer, as another reader
//! of the same JSON sees it.

#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use libfuzzer_sys::fuzz_target;
use misario_fuzz::{LEEWAY, NOW, secret_key, secret_keys, verifier};
use misario_jose::{KeySet, Scratch, Verifier, b64u};
use serde_json::Value;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(verifier);
static KEYS: LazyLock<KeySet> = LazyLock::new(secret_keys);
static KEY: LazyLock<hmac::Key> = LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, &secret_key().to_secret_bytes()));

const HEADER: &[u8] = br#"{"alg":"HS256","typ":"at+jwt"}"#;

// The input is the claims, or a header, the octet 0xff (which UTF-8 never holds), and the claims.
fuzz_target!(|input: &[u8]| {
    let (header, claims) = match input.iter().position(|byte| *byte == 0xff) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (HEADER, input),
    };
    let token = sign(header, claims);
    let mut scratch = Scratch::new();
    let verdict = VERIFIER.verify(&token, &KEYS, NOW, &mut scratch);
    let explanation = VERIFIER.explain(&token, &KEYS, NOW);
    assert_eq!(explanation.code, verdict.as_ref().err().map(misario_jose::JwtError::code));
    if let Ok(jwt) = verdict {
        let seen: Value = serde_json::from_slice(claims).expect("accepted claims are JSON");
        let header: Value = serde_json::from_slice(header).expect("an accepted header is JSON");
        assert_eq!(header["alg"], "HS256");
        assert_eq!(seen["iss"], "https://i");
        assert!(seen["aud"] == "a" || seen["aud"].as_array().is_some_and(|all| all.contains(&"a".into())));
        assert!(seen["exp"].as_f64().is_some_and(|exp| exp + LEEWAY as f64 > NOW.as_secs() as f64));
        assert_eq!(seen["sub"].as_str(), jwt.subject());
        assert_eq!(jwt.payload_json(), claims);
    }
});

fn sign(header: &[u8], claims: &[u8]) -> String {
    let message = [b64u::encode(header), b64u::encode(claims)].join(".");
    let tag = hmac::sign(&KEY, message.as_bytes());
    [message, b64u::encode(tag.as_ref())].join(".")
}
