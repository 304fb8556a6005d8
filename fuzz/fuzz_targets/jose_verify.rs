//! Text that nobody signed is never accepted, never panics, and is refused alike by `verify` and `explain`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use misario_fuzz::{NOW, public_keys, secret_keys, verifier};
use misario_jose::{KeySet, Scratch, Verifier};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(verifier);
static KEYS: LazyLock<[KeySet; 2]> = LazyLock::new(|| [public_keys(), secret_keys()]);

fuzz_target!(|text: &str| {
    let mut scratch = Scratch::new();
    for keys in &*KEYS {
        let verdict = VERIFIER.verify(text, keys, NOW, &mut scratch).map(drop);
        let code = verdict.expect_err("a token that nobody signed").code();
        let explanation = VERIFIER.explain(text, keys, NOW);
        assert_eq!(explanation.code, Some(code));
        assert!(!explanation.accepted);
        let renewal = VERIFIER.verify_ignoring_expiry_until(text, keys, NOW, 43_200, &mut scratch);
        assert!(renewal.is_err());
    }
});
