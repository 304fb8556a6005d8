//! The stable codes of this crate, in one list: what operators, dashboards and scripts rely on.

use std::collections::BTreeMap;

use misario_core::app::InvalidApp;
use misario_core::authn::Rejection;
use misario_core::changes::{CodecError, GrantError, SyncError};
use misario_core::id::InvalidName;
use misario_core::secret::SecretError;
use misario_core::store::StoreError;

const ALL: [(&str, &[(&str, &str)]); 8] = [
    ("CodecError", CodecError::CODES),
    ("GrantError", GrantError::CODES),
    ("InvalidApp", InvalidApp::CODES),
    ("InvalidName", InvalidName::CODES),
    ("Rejection", Rejection::CODES),
    ("SecretError", SecretError::CODES),
    ("StoreError", StoreError::CODES),
    ("SyncError", SyncError::CODES),
];

#[test]
fn the_codes_are_these() {
    let lines: Vec<_> = ALL
        .into_iter()
        .flat_map(|(error, codes)| codes.iter().map(move |(code, meaning)| format!("{error} {code}: {meaning}")))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_code_names_one_error_and_is_snake_case() {
    // Codes of tokens are passed on by a rejection, so they stand in the same place and must differ as well.
    let all = ALL.into_iter().chain([("JwtError", misario_jose::JwtError::CODES)]);
    let mut owners = BTreeMap::new();
    for (error, codes) in all {
        assert!(!codes.is_empty());
        for (code, meaning) in codes {
            let words = code.split('_');
            let snake =
                |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            assert!(words.clone().count() > 1 && words.into_iter().all(snake), "{error}: {code}");
            assert!(meaning.ends_with('.') && meaning.len() > 10, "{code}: {meaning:?}");
            let before = owners.insert(*code, error);
            assert_eq!(before, None, "{code} is also of {error}");
        }
    }
}
