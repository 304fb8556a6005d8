//! One line of an explanation.

use serde::Serialize;

use crate::claims::{Audience, Claim, Claims};
use crate::verify::ClaimRules;
use crate::{JwtError, UnixTime};

use super::fix;

/// Characters of a claim's value that are shown; the rest is cut off.
const SHOWN: usize = 200;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The token meets it.
    Pass,
    /// The token does not meet it.
    Fail {
        /// The code with which the token is refused.
        code: &'static str,
    },
    /// There was nothing to judge, because an earlier check failed or the verifier does not ask.
    NotReached,
}

/// One check with its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckLine {
    /// What is checked.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was expected, as far as that helps.
    pub expected: Option<String>,
    /// What the token says, as far as that helps.
    pub seen: Option<String>,
    /// What went wrong, in words.
    pub problem: Option<String>,
    /// What to do about it.
    pub fix: Option<&'static str>,
}

impl CheckLine {
    pub(super) fn new(
        name: &'static str,
        error: Option<&JwtError>,
        expected: Option<String>,
        seen: Option<String>,
    ) -> Self {
        Self {
            name,
            outcome: error.map_or(Outcome::Pass, |error| Outcome::Fail { code: error.code() }),
            expected,
            seen: seen.map(|seen| cut(&seen)),
            problem: error.map(ToString::to_string),
            fix: error.and_then(fix::fix),
        }
    }

    pub(super) const fn not_reached(name: &'static str) -> Self {
        Self { name, outcome: Outcome::NotReached, expected: None, seen: None, problem: None, fix: None }
    }

    /// The code of a failure.
    pub const fn code(&self) -> Option<&'static str> {
        match self.outcome {
            Outcome::Fail { code } => Some(code),
            _ => None,
        }
    }

    pub(super) const fn failed(&self) -> bool {
        self.code().is_some()
    }
}

/// What the verifier expects of a claim and what the token says.
pub(super) fn claim_values(
    name: &str,
    rules: &ClaimRules,
    claims: &Claims<'_>,
    now: UnixTime,
) -> (Option<String>, Option<String>) {
    let raw = |claim: &str| Some(claims.object().get(claim).map_or("(absent)", |value| value.raw()).to_owned());
    match name {
        "exp" => (Some("a number, required".into()), raw("exp")),
        "iat" | "nbf" => (Some(format!("at most {}", now.saturating_add(rules.leeway).as_secs())), raw(name)),
        "iss" => (rules.issuer.exactly().map(str::to_owned), raw("iss")),
        "aud" => (rules.audience.exactly().map(str::to_owned), audience(&claims.audience)),
        "sub" | "jti" => (Some("a string".into()), raw(name)),
        "required" => (Some(rules.required.join(", ")), None),
        "lifetime" => (rules.max_ttl.map(|limit| format!("at most {limit} seconds")), lifetime(claims)),
        "expiry" => (Some(format!("after {}", now.saturating_sub(rules.leeway).as_secs())), raw("exp")),
        _ => (None, None),
    }
}

fn audience(audience: &Claim<Audience<'_>>) -> Option<String> {
    match audience {
        Ok(Some(audience)) => Some(audience.raw().to_owned()),
        Ok(None) => Some("(absent)".into()),
        Err(_) => None,
    }
}

fn lifetime(claims: &Claims<'_>) -> Option<String> {
    let (Ok(Some(expires)), Ok(Some(issued_at))) = (&claims.expires, &claims.issued_at) else {
        return None;
    };
    Some(format!("{} seconds", expires.secs_since(*issued_at)))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
