//! Session tokens, refresh tokens and client secrets: a text that is taken has exactly one spelling.
//!
//! The keys are fixed, so the seeds hold genuine texts; a change to one of them that is still taken would be a second
//! credential for the same secret.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use misario_core::secret::{ClientSecret, RefreshToken, SessionToken, TokenKeys};
use misario_fuzz::token_keys;

static KEYS: LazyLock<TokenKeys> = LazyLock::new(token_keys);

fuzz_target!(|text: &str| {
    let keys = &*KEYS;
    let mut taken = 0;
    if let Ok(token) = SessionToken::parse(keys.replica(), text) {
        assert_eq!(token.to_text(keys.replica()).expect("its key is here").expose(), text);
        taken += 1;
    }
    if let Ok(token) = RefreshToken::parse(keys.replica(), text) {
        assert_eq!(token.to_text(keys.replica()).expect("its key is here").expose(), text);
        taken += 1;
    }
    if let Ok(secret) = ClientSecret::parse(keys, text) {
        assert_eq!(secret.to_text(keys).expect("its key is here").expose(), text);
        taken += 1;
    }
    assert!(taken <= 1, "one text, two kinds");
});
