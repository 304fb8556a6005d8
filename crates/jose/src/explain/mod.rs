//! Why a token is accepted or refused, line by line, for people.
//!
//! The checks are the very functions that [`Verifier::verify`] runs, in the same order; here they go on after a
//! failure, so that one look shows everything that is wrong. The signature never appears in the output.

mod fix;
mod line;

use serde::Serialize;
use serde_json::Value;

pub use line::{CheckLine, Outcome};

use crate::claims::Claims;
use crate::error::Part;
use crate::header::Header;
use crate::json::Index;
use crate::jws::check_size;
use crate::verify::{self, CLAIM_CHECKS, Expiry};
use crate::{Algorithm, Jws, JwtError, KeyId, KeySet, UnixTime, Verifier, VerifyingKey};

/// Everything that can be said about a token.
///
/// # Security
/// Header and claims are shown whether or not the signature holds. It is for reading, never for deciding: the only
/// proof is a [`VerifiedJwt`](crate::VerifiedJwt).
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// Whether `verify` accepts the token.
    pub accepted: bool,
    /// The code with which `verify` refuses it.
    pub code: Option<&'static str>,
    /// Octets of the whole token.
    pub size: usize,
    /// The header; `null` when it cannot be read.
    pub header: Value,
    /// The claims; `null` when they cannot be read.
    pub claims: Value,
    /// Octets of JSON that each claim costs, in their order.
    pub bytes_per_claim: Vec<(String, usize)>,
    /// The key that the token is judged by, when there is one.
    pub key: Option<ExplainedKey>,
    /// Each check with its outcome, in the order of judgement.
    pub checks: Vec<CheckLine>,
}

/// The key that a token is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedKey {
    /// Its id.
    pub kid: Option<String>,
    /// Its algorithm.
    pub algorithm: Algorithm,
}

impl Verifier {
    /// What every check says about `token`. It never fails, whatever the token is.
    pub fn explain(&self, token: &str, keys: &KeySet, now: UnixTime) -> Explanation {
        let mut report = Report { verifier: self, keys, now, lines: Vec::new() };
        let mut explanation = Explanation {
            accepted: false,
            code: None,
            size: token.len(),
            header: Value::Null,
            claims: Value::Null,
            bytes_per_claim: Vec::new(),
            key: None,
            checks: Vec::new(),
        };
        report.token(token, &mut explanation);
        explanation.code = report.lines.iter().find_map(CheckLine::code);
        explanation.accepted = explanation.code.is_none();
        explanation.checks = report.lines;
        explanation
    }
}

/// An explanation in the making.
struct Report<'v> {
    verifier: &'v Verifier,
    keys: &'v KeySet,
    now: UnixTime,
    lines: Vec<CheckLine>,
}

impl Report<'_> {
    fn token(&mut self, token: &str, out: &mut Explanation) {
        let limit = format!("at most {} octets", Jws::MAX_LEN);
        let size = Some(format!("{} octets", token.len()));
        self.line("size", &check_size(token), Some(limit), size);
        let parsed = Jws::parse(token);
        if !self.lines.iter().any(CheckLine::failed) {
            self.line("shape", &parsed, Some("three base64url parts".into()), None);
        }
        let Ok(jws) = parsed else {
            return self.not_reached(&["shape", "header", "algorithm", "key", "signature", "typ", "claims"]);
        };
        self.header(&jws, out);
        self.payload(&jws, out);
    }

    fn header(&mut self, jws: &Jws<'_>, out: &mut Explanation) {
        let (mut buffer, mut index) = (Vec::new(), Index::default());
        let header = verify::read_header(jws, &mut buffer, &mut index);
        self.line("header", &header, None, None);
        match header {
            Ok(header) => self.signature(jws, &header, out),
            Err(_) => self.not_reached(&["algorithm", "key", "signature", "typ"]),
        }
        out.header = serde_json::from_slice(&buffer).unwrap_or_default();
    }

    fn signature(&mut self, jws: &Jws<'_>, header: &Header<'_>, out: &mut Explanation) {
        let algorithm = self.verifier.check_algorithm(header);
        let expected: Vec<&str> = self.verifier.rules().algorithms.iter().map(|a| a.name()).collect();
        let seen = Some(header.alg().to_owned());
        self.line("algorithm", &algorithm, Some(expected.join(" or ")), seen);
        let key = algorithm.and_then(|algorithm| self.keys.find(algorithm, header.kid()));
        if self.lines.last().is_some_and(CheckLine::failed) {
            self.not_reached(&["key"]);
        } else {
            let held: Vec<&str> = self.keys.iter().filter_map(VerifyingKey::kid).map(KeyId::as_str).collect();
            let expected = if held.is_empty() { "(no keys with an id)".into() } else { held.join(", ") };
            let seen = header.kid().unwrap_or("(no kid)").to_owned();
            self.line("key", &key, Some(expected), Some(seen));
        }
        match key {
            Ok(key) => {
                out.key = Some(ExplainedKey { kid: key.kid().map(KeyId::to_string), algorithm: key.algorithm() });
                let checked = verify::check_signature(jws, key, &mut Vec::new());
                self.line("signature", &checked, None, None);
            }
            Err(_) => self.not_reached(&["signature"]),
        }
        let expected = self.verifier.rules().typ.exactly().unwrap_or("(any)").to_owned();
        let seen = header.typ().unwrap_or("(none)").to_owned();
        self.line("typ", &self.verifier.check_typ(header), Some(expected), Some(seen));
    }

    fn payload(&mut self, jws: &Jws<'_>, out: &mut Explanation) {
        let (mut buffer, mut index) = (Vec::new(), Index::default());
        let decoded = jws.decode(Part::Claims, &mut buffer);
        let is_judged = self.verifier.rules().claims.is_some() || decoded.is_err();
        let claims = decoded.and_then(|()| verify::read_claims(&buffer, &mut index));
        // A payload that is not judged still has to be base64url: it is handed out decoded.
        if is_judged {
            self.line("claims", &claims, None, None);
        } else {
            self.not_reached(&["claims"]);
        }
        if let Ok(claims) = &claims {
            self.claims(claims);
            out.bytes_per_claim = bytes_per_claim(claims);
        }
        out.claims = serde_json::from_slice(&buffer).unwrap_or_default();
    }

    fn claims(&mut self, claims: &Claims<'_>) {
        let Some(rules) = &self.verifier.rules().claims else {
            return;
        };
        let mut said: Vec<JwtError> = Vec::new();
        for (name, check) in CLAIM_CHECKS {
            let outcome = check(rules, claims, Expiry::strict(self.now));
            match outcome {
                // A check that needs another one's claim repeats its failure; once is enough for a reader.
                Err(error) if said.contains(&error) => self.not_reached(&[name]),
                outcome => {
                    let (expected, seen) = line::claim_values(name, rules, claims, self.now);
                    self.line(name, &outcome, expected, seen);
                    said.extend(outcome.err());
                }
            }
        }
    }

    fn line<T>(
        &mut self,
        name: &'static str,
        outcome: &Result<T, JwtError>,
        expected: Option<String>,
        seen: Option<String>,
    ) {
        self.lines.push(CheckLine::new(name, outcome.as_ref().err(), expected, seen));
    }

    fn not_reached(&mut self, names: &[&'static str]) {
        for name in names {
            if !self.lines.iter().any(|line| line.name == *name) {
                self.lines.push(CheckLine::not_reached(name));
            }
        }
    }
}

/// What each claim costs: its name, colon and value, and one octet for the comma or brace behind it.
fn bytes_per_claim(claims: &Claims<'_>) -> Vec<(String, usize)> {
    claims
        .object()
        .members()
        .map(|(name, value)| {
            let size = name.raw().len() + 2 + 1 + value.raw().len() + 1;
            (name.decode().into_owned(), size)
        })
        .collect()
}
