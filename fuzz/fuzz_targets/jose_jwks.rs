//! Published key sets: no input panics, no secret is taken from one, and what is read is written so that it is read
//! alike again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use misario_jose::JwkSet;

fuzz_target!(|text: &[u8]| {
    let Ok((keys, _unusable)) = JwkSet::parse_public(text) else {
        return;
    };
    assert!(keys.iter().all(|key| !key.algorithm().is_symmetric()));
    let written = keys.to_jwk_set().to_json();
    let (again, unusable) = JwkSet::parse_public(written.as_bytes()).expect("our own text");
    assert!(unusable.is_empty());
    assert_eq!(again.len(), keys.len());
    assert_eq!(again.to_jwk_set().to_json(), written);
});
