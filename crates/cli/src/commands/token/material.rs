//! What a token is held against, as typed: keys and expectations.

use std::fs;
use std::path::PathBuf;

use misario_core::secret::SecretText;
use misario_jose::{Algorithm, JwkSet, KeyError, KeySet, UnixTime, VerifyingKey};

use crate::failure::CliError;
use crate::{clock, pem, secrets};

/// Where a token comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenSource {
    /// Read the token from this file; without it, from standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl TokenSource {
    /// The token, without the white space around it.
    pub(crate) fn read(&self) -> anyhow::Result<SecretText> {
        match &self.token_file {
            Some(path) => Ok(secrets::read_file(path)?),
            None => secrets::read_stdin(),
        }
    }
}

/// The keys a token is held against.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct KeySource {
    /// The issuer's published keys (JWK set)
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The issuer's public key in PEM
    #[arg(long, value_name = "FILE")]
    pem: Option<PathBuf>,
    /// The shared secret of HS256 tokens, its octets as they are
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// Keys, and what was wrong with those that cannot be used.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The usable ones.
    pub(crate) set: KeySet,
    /// Why others are not used.
    pub(crate) refused: Vec<KeyError>,
    /// The algorithms that they are for.
    pub(crate) algorithms: Vec<Algorithm>,
}

impl KeySource {
    /// The keys; `None` when none were named.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Keys>> {
        if let Some(path) = &self.secret_file {
            return Ok(Some(symmetric(&octets(path)?)));
        }
        let text = match (&self.jwks, &self.pem) {
            (Some(path), _) => Ok(octets(path)?),
            (None, Some(path)) => {
                pem::key_set(&String::from_utf8_lossy(&octets(path)?)).map(|set| set.to_string().into_bytes())
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(public(text.and_then(|text| JwkSet::parse_public(&text)))))
    }
}

fn octets(path: &PathBuf) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|source| CliError::FileUnreadable { path: path.clone(), source })
}

/// Keys of a published set.
pub(crate) fn public(parsed: Result<(KeySet, Vec<misario_jose::UnusableKey>), KeyError>) -> Keys {
    let algorithms = vec![Algorithm::Es256, Algorithm::EdDsa];
    match parsed {
        Ok((set, unusable)) => Keys { set, refused: unusable.into_iter().map(|key| key.error).collect(), algorithms },
        Err(error) => Keys { set: KeySet::new(), refused: vec![error], algorithms },
    }
}

/// An editor ends a file with a line break that nobody means to be part of the secret.
fn symmetric(octets: &[u8]) -> Keys {
    let secret = octets.strip_suffix(b"\n").map_or(octets, |rest| rest.strip_suffix(b"\r").unwrap_or(rest));
    let mut set = KeySet::new();
    let made = VerifyingKey::from_secret(Algorithm::Hs256, secret, None).and_then(|key| set.insert(key));
    Keys { set, refused: made.err().into_iter().collect(), algorithms: vec![Algorithm::Hs256] }
}

/// The moment to judge at.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// Judge as if it were this moment (seconds since 1970)
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Seconds that clocks may differ by, at most 300
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) leeway: u64,
}

impl At {
    /// The moment to judge at.
    pub(crate) fn moment(&self) -> UnixTime {
        self.now.map_or_else(clock::now, UnixTime::from_secs)
    }
}
