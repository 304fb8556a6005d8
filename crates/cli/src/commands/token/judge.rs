//! What each check says about a token, with what was not asked told apart from what passed.

use misario_jose::{Algorithm, CheckLine, Explanation, KeyError, KeySet, Outcome, UnixTime, Verifier};
use serde::Serialize;
use serde_json::Value;

use super::material::Keys;

/// What a token is held against; what is `None` is not judged.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    /// The keys.
    pub(crate) keys: Option<&'a Keys>,
    /// The claim `iss`.
    pub(crate) issuer: Option<&'a str>,
    /// The claim `aud`.
    pub(crate) audience: Option<&'a str>,
    /// The header's `typ`.
    pub(crate) typ: Option<&'a str>,
    /// Seconds that clocks may differ by.
    pub(crate) leeway: u64,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Passed.
    Passed,
    /// Failed.
    Failed,
    /// Nobody said what to expect.
    NotAsked,
    /// An earlier failure left nothing to judge.
    NotReached,
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    /// What is checked.
    pub(crate) check: &'static str,
    /// How it ended.
    pub(crate) outcome: State,
    /// The code of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<&'static str>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
    /// What was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<String>,
    /// What was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seen: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<&'static str>,
}

/// Everything that can be said about a token. The signature is not in it.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// Header, claims and sizes.
    pub(crate) token: Explanation,
    /// Each check in order.
    pub(crate) lines: Vec<Line>,
}

impl Judgement {
    /// The code of the first check that failed.
    pub(crate) fn code(&self) -> Option<&'static str> {
        self.lines.iter().find_map(|line| line.code)
    }

    /// The checks that ended in that way.
    pub(crate) fn lines(&self, state: State) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.outcome == state)
    }
}

/// Holds `token` against what is expected, going on after a failure.
pub(crate) fn judge(token: &str, expected: &Expected<'_>, now: UnixTime) -> Judgement {
    // What is not asked is expected to be what the token says, so that only a missing or malformed value fails.
    let told = said(token, now);
    let algorithms =
        expected.keys.map_or(&[Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256][..], |keys| &keys.algorithms);
    let verifier = Verifier::builder()
        .issuer(expected.issuer.unwrap_or(&told.issuer))
        .audience(expected.audience.unwrap_or(&told.audience))
        .typ(expected.typ.unwrap_or(&told.typ))
        .algorithms(algorithms)
        .leeway(expected.leeway)
        .build();
    let none = KeySet::new();
    let explanation = verifier.explain(token, expected.keys.map_or(&none, |keys| &keys.set), now);
    let lines = explanation.checks.iter().map(|line| read(line, expected)).collect();
    Judgement { token: explanation, lines }
}

struct Said {
    issuer: String,
    audience: String,
    typ: String,
}

fn said(token: &str, now: UnixTime) -> Said {
    let look = Verifier::builder().issuer("").audience("").build().explain(token, &KeySet::new(), now);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let audience = match &look.claims["aud"] {
        Value::Array(several) => several.first().map(text).unwrap_or_default(),
        one => text(one),
    };
    Said { issuer: text(&look.claims["iss"]), audience, typ: text(&look.header["typ"]) }
}

fn read(line: &CheckLine, expected: &Expected<'_>) -> Line {
    let asked = match line.name {
        "key" | "signature" => expected.keys.is_some(),
        "iss" => expected.issuer.is_some(),
        "aud" => expected.audience.is_some(),
        "typ" => expected.typ.is_some(),
        "algorithm" => expected.keys.is_some() || line.code() == Some("jwt_algorithm_none"),
        _ => true,
    };
    let refused =
        expected.keys.and_then(|keys| keys.refused.first()).filter(|_| line.name == "key" && line.code().is_some());
    if let Some(error) = refused {
        return refused_key(*error);
    }
    // A key that nobody named cannot fail, a claim that is missing can: expecting nobody in particular is still
    // expecting somebody.
    let unasked = !asked
        && (matches!(line.name, "key" | "signature")
            || line.code() == Some("jwt_typ_missing")
            || line.code().is_none());
    let outcome = match line.outcome {
        _ if unasked => State::NotAsked,
        Outcome::Pass => State::Passed,
        Outcome::Fail { .. } => State::Failed,
        _ => State::NotReached,
    };
    let failed = outcome == State::Failed;
    Line {
        check: line.name,
        outcome,
        code: line.code().filter(|_| failed),
        problem: line.problem.clone().filter(|_| failed),
        expected: line.expected.clone().filter(|_| asked),
        seen: line.seen.clone(),
        fix: if unasked { how_to_ask(line.name) } else { line.fix.filter(|_| failed) },
    }
}

/// The token has no key because the one at hand is not to be used: that is what has to be said.
fn refused_key(error: KeyError) -> Line {
    let (expected, fix) = match error {
        KeyError::HmacWellKnown | KeyError::HmacTooShort { .. } | KeyError::HmacLowEntropy => (
            "a secret of at least 32 random octets",
            "Replace the secret (`openssl rand 32`), and treat every token signed with it as forged.",
        ),
        KeyError::PrivateInPublicSet | KeyError::SymmetricInPublicSet => {
            ("public keys only", "Replace the key at once: whoever read the set can sign.")
        }
        _ => ("a usable key of the issuer", "See `misario keys check` for every key of the file."),
    };
    Line {
        check: "key",
        outcome: State::Failed,
        code: Some(error.code()),
        problem: Some(error.to_string()),
        expected: Some(expected.to_owned()),
        seen: None,
        fix: Some(fix),
    }
}

fn how_to_ask(check: &str) -> Option<&'static str> {
    match check {
        "key" => Some("name the issuer's keys: --jwks, --pem or --secret-file"),
        "iss" => Some("say which issuer you expect: --iss"),
        "aud" => Some("say which audience you are: --aud"),
        "typ" => Some("say which kind you expect: --typ at+jwt"),
        _ => None,
    }
}
