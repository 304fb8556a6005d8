//! `misario token verify --batch`: one JSON object per line in, one verdict per line out.
//!
//! It exists to run test vectors of others through exactly the code that verifies tokens here, so every expectation
//! can be left out. It is the only place in this program that uses the `dangerous_` builders.

use std::io::{self, BufRead as _, Write as _};

use misario_jose::{
    Algorithm, Given, JwkSet, JwtError, KeyError, KeySet, Missing, Scratch, UnixTime, Verifier, VerifierBuilder,
    VerifyingKey, b64u,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output::heard;
use crate::{clock, pem};

/// One line in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    id: Value,
    token: String,
    keys: KeyText,
    key_config: KeyConfig,
    algs: Vec<String>,
    #[serde(default = "yes")]
    claims: bool,
    now: Option<u64>,
    #[serde(default)]
    leeway: u64,
    iss: Option<String>,
    aud: Option<String>,
    typ: Option<String>,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyText {
    Jwks(Box<serde_json::value::RawValue>),
    Pem(String),
    OctB64u(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeyConfig {
    Public,
    Private,
}

/// One line out.
#[derive(Debug, Serialize)]
struct Verdict {
    id: Value,
    #[serde(rename = "verdict")]
    word: &'static str,
    code: &'static str,
}

/// Judges line by line until standard input ends.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        if !line.trim_ascii().is_empty() {
            let verdict = serde_json::to_string(&judge(&line))?;
            if !heard(writeln!(out, "{verdict}"))? {
                return Ok(());
            }
        }
    }
    heard(out.flush())?;
    Ok(())
}

fn judge(line: &[u8]) -> Verdict {
    let reject = |id, code| Verdict { id, word: "reject", code };
    let Ok(case) = serde_json::from_slice::<Case>(line) else { return reject(Value::Null, "batch_line_malformed") };
    // A key that cannot be used verifies nothing: its own code is the verdict's, unless the token fails before keys.
    let (keys, refused) = match case.key_set() {
        Ok(read) => read,
        Err(error) => (KeySet::new(), Some(error)),
    };
    match case.verify(&keys) {
        Ok(()) => Verdict { id: case.id, word: "accept", code: "ok" },
        Err(JwtError::KeyUnknown) => reject(case.id, refused.map_or("jwt_key_unknown", |error| error.code())),
        Err(error) => reject(case.id, error.code()),
    }
}

impl Case {
    fn key_set(&self) -> Result<(KeySet, Option<KeyError>), KeyError> {
        let text = match &self.keys {
            KeyText::Jwks(set) => set.get().to_owned(),
            KeyText::Pem(text) => pem::key_set(text)?.to_string(),
            KeyText::OctB64u(_) if self.key_config == KeyConfig::Public => return Err(KeyError::SymmetricInPublicSet),
            KeyText::OctB64u(secret) => return secret_set(secret),
        };
        let parsed = match self.key_config {
            KeyConfig::Public => JwkSet::parse_public(text.as_bytes()),
            // Configuration may hold public keys of others as well as secrets.
            KeyConfig::Private => match JwkSet::parse_secret(text.as_bytes()) {
                Err(KeyError::SetMixed) => JwkSet::parse_public(text.as_bytes()),
                other => other,
            },
        };
        parsed.map(|(set, unusable)| (set, unusable.first().map(|key| key.error)))
    }

    fn verify(&self, keys: &KeySet) -> Result<(), JwtError> {
        let algorithms: Vec<Algorithm> = self.algs.iter().filter_map(|name| name.parse().ok()).collect();
        let mut builder = Verifier::builder().algorithms(&algorithms).leeway(self.leeway);
        builder = match &self.typ {
            Some(typ) => builder.typ(typ),
            None => builder.dangerous_any_typ(),
        };
        let now = self.now.map_or_else(clock::now, UnixTime::from_secs);
        let verifier = self.build(builder);
        verifier.verify(&self.token, keys, now, &mut Scratch::new()).map(drop)
    }

    fn build(&self, builder: VerifierBuilder<Missing, Missing>) -> Verifier {
        if !self.claims {
            return builder.dangerous_without_claims().build();
        }
        let builder: VerifierBuilder<Given, Missing> = match &self.iss {
            Some(issuer) => builder.issuer(issuer),
            None => builder.dangerous_any_issuer(),
        };
        match &self.aud {
            Some(audience) => builder.audience(audience).build(),
            None => builder.dangerous_any_audience().build(),
        }
    }
}

fn secret_set(text: &str) -> Result<(KeySet, Option<KeyError>), KeyError> {
    let secret = b64u::decode(text).ok_or(KeyError::MemberMalformed { member: "k" })?;
    let mut set = KeySet::new();
    set.insert(VerifyingKey::from_secret(Algorithm::Hs256, &secret, None)?)?;
    Ok((set, None))
}
