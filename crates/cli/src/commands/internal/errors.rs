//! `docs/errors.md`: every code of every layer, from the layers themselves.

use std::fmt::Write as _;

use misario::{EmbeddedError, MasterKeyError, ServeError};
use misario_core::app::InvalidApp;
use misario_core::authn::Rejection;
use misario_core::secret::SecretError;
use misario_core::store::StoreError;
use misario_jose::{JwtError, KeyError, SignError};
use misario_server::FeedEnded;
use misario_tower::ConnectError;
use misario_tower::feed::FeedError;

use crate::config::ConfigError;
use crate::failure::CliError;

/// Codes with their meanings.
type Codes = &'static [(&'static str, &'static str)];

/// Each layer's codes, top down as a request meets them.
const LAYERS: &[(&str, &str, Codes)] = &[
    (
        "Checks",
        "Why a request is refused. The caller learns a coarser code; the log has this one, with a reference.",
        Rejection::CODES,
    ),
    ("What clients see", "The codes of answers: each rejection has one of them.", misario_tower::problem::CODES),
    (
        "What clients see of the authority",
        "Beside those, the answers of sign-in, refresh and administration.",
        misario_server::PUBLIC_CODES,
    ),
    ("Tokens", "Why a JWT is refused.", JwtError::CODES),
    (
        "Opaque tokens",
        "Why a session token, refresh token, client secret or CSRF token is not one of ours.",
        SecretError::CODES,
    ),
    ("The authority", "Sign-in, refresh and administration.", misario_server::Error::CODES),
    ("Apps", "Why an app's settings can never work.", InvalidApp::CODES),
    ("Keys", "Why a key or a key set is refused.", KeyError::CODES),
    ("Signing", "Why a token cannot be signed.", SignError::CODES),
    ("Connected apps", "Why an app in another process does not start.", ConnectError::CODES),
    ("The feed", "Why a connected app lost its authority for a while.", FeedError::CODES),
    ("Followers", "Why the authority ended the connection of an app that follows it.", FeedEnded::CODES),
    ("Stores", "What a store says. None of it ever means \"not signed in\".", StoreError::CODES),
    ("The key file", "Why the root secrets of an instance cannot be used.", MasterKeyError::CODES),
    ("Embedded", "Why an app with the authority inside does not start.", EmbeddedError::CODES),
    ("Serving", "Why `Misario::serve` ends.", ServeError::CODES),
    ("Configuration", "Exit code 2; the message names file, line, key, value and reason.", ConfigError::CODES),
    ("Command line", "What `misario` itself has to say; exit code 1 unless it says 2.", CliError::CODES),
];

/// The page.
pub(super) fn page() -> String {
    let mut page = String::from(
        "# Error codes\n\nMade by `cargo xtask gen` from the code; do not edit. Codes are stable: logs, metrics, answers to administrators\nand the command line use them.\n",
    );
    for (title, about, codes) in LAYERS {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {title}\n\n{about}\n\n| code | meaning |\n|---|---|\n");
        for (code, meaning) in *codes {
            let _ = writeln!(page, "| `{code}` | {} |", meaning.replace('|', "\\|"));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_means_one_thing() {
        let mut seen = BTreeSet::new();
        // What clients see is a second, coarser view of the same.
        for (title, _, codes) in LAYERS.iter().filter(|(title, ..)| *title != "What clients see") {
            for (code, meaning) in *codes {
                assert!(seen.insert(*code), "{code} of {title} is taken");
                assert!(
                    meaning.ends_with('.')
                        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                    "{code}: {meaning}"
                );
            }
        }
    }
}
