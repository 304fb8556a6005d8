//! `misario token explain`: everything a token says, and how each check ends.

use std::io::{self, Write};

use misario_core::secret::SecretText;
use misario_jose::{Jws, UnixTime};
use serde_json::{Value, json};

use super::issuer;
use super::judge::{Expected, Judgement, Line, State, judge};
use super::material::{At, KeySource, TokenSource};
use crate::admin::Target;
use crate::cli::Context;
use crate::output::{BAD, FAINT, GOOD, NAME, printable};
use crate::when;

/// Arguments of `token explain`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --jwks, --pem or --secret-file the keys and the issuer of the server count, if one runs.\n\
                        Explaining is not accepting: it exits with 0 for every token that it could explain."
)]
pub(crate) struct Args {
    /// The token; it ends in the shell's history, so for a live one use standard input or --token-file
    #[arg(conflicts_with = "token_file")]
    token: Option<String>,
    #[command(flatten)]
    source: TokenSource,
    #[command(flatten)]
    keys: KeySource,
    /// The issuer to expect
    #[arg(long, value_name = "URL")]
    iss: Option<String>,
    /// The audience to expect
    #[arg(long, value_name = "NAME")]
    aud: Option<String>,
    /// The kind of token to expect
    #[arg(long)]
    typ: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    target: Target,
}

/// Runs the command.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let token = match &args.token {
        Some(token) => SecretText::new(token.trim().to_owned()),
        None => args.source.read()?,
    };
    if let Some(kind) = opaque(token.expose()) {
        let value = json!({ "kind": kind, "size": token.expose().len() });
        let text = |out: &mut dyn Write| {
            writeln!(out, "This is {kind} of misario. It is opaque: what it stands for is known to its server only.")?;
            writeln!(out, "Ask it with GET /v1/me, or `misario session list`.")
        };
        return Ok(context.output.result(&value, text)?);
    }
    let now = args.at.moment();
    let issuer = issuer::find(&args.keys, &args.target, context).await?;
    let expected = Expected {
        keys: issuer.as_ref().map(|issuer| &issuer.keys),
        issuer: args.iss.as_deref().or(issuer.as_ref().and_then(|issuer| issuer.name.as_deref())),
        audience: args.aud.as_deref(),
        typ: args.typ.as_deref(),
        leeway: args.at.leeway,
    };
    let judgement = judge(token.expose(), &expected, now);
    context.output.result(&as_json(&judgement), |out| print(out, &judgement, now))?;
    Ok(())
}

fn opaque(token: &str) -> Option<&'static str> {
    let kinds = [
        ("mst_", "a session token"),
        ("mrt_", "a refresh token"),
        ("mcs_", "a client secret"),
        ("mct_", "a CSRF token"),
    ];
    kinds.into_iter().find(|(prefix, _)| token.starts_with(prefix)).map(|(_, kind)| kind)
}

fn as_json(judgement: &Judgement) -> Value {
    let sizes: serde_json::Map<String, Value> =
        judgement.token.bytes_per_claim.iter().map(|(claim, size)| (claim.clone(), json!(size))).collect();
    json!({
        "verdict": verdict(judgement).0,
        "code": judgement.code(),
        "size": judgement.token.size,
        "header": judgement.token.header,
        "claims": judgement.token.claims,
        "bytes_per_claim": sizes,
        "key": judgement.token.key,
        "checks": judgement.lines,
    })
}

/// The verdict as a word, and as a sentence.
fn verdict(judgement: &Judgement) -> (&'static str, String) {
    let failed = judgement.lines(State::Failed).count();
    let open: Vec<&str> = judgement.lines(State::NotAsked).map(|line| line.check).collect();
    match (judgement.code(), open.is_empty()) {
        (Some(code), _) => ("reject", format!("{BAD}refused{BAD:#}: {code} ({failed} of the checks fail)")),
        (None, false) => {
            ("undecided", format!("no check fails, but nobody said what to expect of: {}", open.join(", ")))
        }
        (None, true) => ("accept", format!("{GOOD}accepted{GOOD:#}: every check passes")),
    }
}

fn print(out: &mut dyn Write, judgement: &Judgement, now: UnixTime) -> io::Result<()> {
    let token = &judgement.token;
    if let Value::Object(header) = &token.header {
        writeln!(out, "{NAME}header{NAME:#}")?;
        for (name, value) in header {
            writeln!(out, "  {:<10} {}", printable(name), shown(value))?;
        }
    }
    if let Value::Object(claims) = &token.claims {
        writeln!(
            out,
            "{NAME}claims{NAME:#}  {FAINT}token: {} of at most {} octets{FAINT:#}",
            token.size,
            Jws::MAX_LEN
        )?;
        for (name, size) in &token.bytes_per_claim {
            let value = claims.get(name).unwrap_or(&Value::Null);
            let when = human_time(name, value, now).map(|when| format!("  {when}")).unwrap_or_default();
            let name = printable(name);
            writeln!(out, "  {name:<10} {}{when}  {FAINT}{size} octets{FAINT:#}", shown(value))?;
        }
    }
    if let Some(key) = &token.key {
        let kid = printable(key.kid.as_deref().unwrap_or("(without id)"));
        writeln!(out, "{NAME}key{NAME:#}\n  {kid}  {}", key.algorithm.name())?;
    }
    writeln!(out, "{NAME}checks{NAME:#}")?;
    judgement.lines.iter().try_for_each(|line| print_line(out, line))?;
    writeln!(out, "{}", verdict(judgement).1)
}

/// One check; its details below it when it fails.
pub(super) fn print_line(out: &mut dyn Write, line: &Line) -> io::Result<()> {
    let check = line.check;
    let seen = line.seen.as_deref().map(printable);
    match line.outcome {
        State::Passed => {
            writeln!(out, "  {GOOD}pass{GOOD:#}  {check:<10} {}", seen.as_deref().unwrap_or_default())
        }
        State::NotReached => writeln!(out, "  {FAINT}-     {check:<10} not reached{FAINT:#}"),
        State::NotAsked => {
            let how = line.fix.unwrap_or("not judged");
            writeln!(out, "  {FAINT}?     {check:<10} {}  {how}{FAINT:#}", seen.as_deref().unwrap_or_default())
        }
        State::Failed => {
            let (code, problem) = (line.code.unwrap_or_default(), line.problem.as_deref().map(printable));
            let problem = problem.unwrap_or_default();
            writeln!(out, "  {BAD}FAIL{BAD:#}  {check:<10} {code}: {problem}")?;
            let details = [("expected", line.expected.as_deref()), ("seen", seen.as_deref()), ("fix", line.fix)];
            for (name, text) in details {
                if let Some(text) = text {
                    writeln!(out, "                   {name}: {}", printable(text))?;
                }
            }
            Ok(())
        }
    }
}

/// JSON's own escapes keep the control characters of a text readable; `printable` is for what JSON does not escape.
fn shown(value: &Value) -> String {
    printable(&value.to_string())
}

fn human_time(claim: &str, value: &Value, now: UnixTime) -> Option<String> {
    let times = ["exp", "iat", "nbf", "auth_time", "login_exp", "updated_at"];
    let at = UnixTime::from_secs(value.as_u64().filter(|_| times.contains(&claim))?);
    Some(format!("{} ({})", when::moment(at), when::relative(at, now)))
}
