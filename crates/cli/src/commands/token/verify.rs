//! `misario token verify`: accepted or refused, and exactly why.

use std::io::{self, Write};

use misario_jose::{Scratch, UnixTime, VerifiedJwt, Verifier};
use serde_json::{Value, json};

use super::batch;
use super::explain::print_line;
use super::issuer;
use super::judge::{Expected, Judgement, State, judge};
use super::material::{At, KeySource, Keys, TokenSource};
use crate::admin::Target;
use crate::cli::Context;
use crate::failure::CliError;
use crate::output::{BAD, GOOD, printable};
use crate::when;

/// Arguments of `token verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --jwks, --pem or --secret-file the keys and the issuer of the server count, if one runs.\n\
    With --batch: one JSON object per line on standard input, one verdict per line on standard output.\n\
    {\"id\",\"token\",\"keys\":{\"jwks\":{…}|\"pem\":\"…\"|\"oct_b64u\":\"…\"},\"key_config\":\"public\"|\"private\",\"algs\":[…],\n\
    \"claims\":true|false,\"now\":…,\"leeway\":0,\"iss\":null,\"aud\":null,\"typ\":null}; null is not checked."
)]
pub(crate) struct Args {
    /// Judge many tokens; expectations come with each
    #[arg(long, conflicts_with_all = ["token_file", "jwks", "pem", "secret_file", "iss", "aud", "typ", "now", "leeway", "url", "data"])]
    batch: bool,
    #[command(flatten)]
    source: TokenSource,
    #[command(flatten)]
    keys: KeySource,
    /// The issuer that the token has to name [default: the server's, if its keys are used]
    #[arg(long, value_name = "URL")]
    iss: Option<String>,
    /// The audience that the token has to name
    #[arg(long, value_name = "NAME", required_unless_present = "batch")]
    aud: Option<String>,
    /// The kind that the token has to be
    #[arg(long, default_value = "at+jwt")]
    typ: String,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    target: Target,
}

/// Runs the command.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    if args.batch {
        return batch::run();
    }
    let Some(issuer) = issuer::find(&args.keys, &args.target, context).await? else {
        let fix = "name the issuer's keys with --jwks, --pem or --secret-file, or start its server";
        return Err(CliError::Usage { what: "there is nothing to verify the signature with".into(), fix }.into());
    };
    let Some(name) = args.iss.as_deref().or(issuer.name.as_deref()) else {
        let fix = "say which issuer the token has to name: --iss URL";
        return Err(CliError::Usage { what: "keys alone do not say whose they are".into(), fix }.into());
    };
    let keys = &issuer.keys;
    let audience = args.aud.as_deref().unwrap_or_default();
    let token = args.source.read()?;
    let now = args.at.moment();
    let expected = Expected {
        keys: Some(keys),
        issuer: Some(name),
        audience: Some(audience),
        typ: Some(&args.typ),
        leeway: args.at.leeway,
    };
    let verifier = verifier(&expected, keys);
    match verifier.verify(token.expose(), &keys.set, now, &mut Scratch::new()) {
        Ok(jwt) => accepted(context, &jwt, now),
        Err(error) => refused(context, &judge(token.expose(), &expected, now), error.code()),
    }
}

fn verifier(expected: &Expected<'_>, keys: &Keys) -> Verifier {
    Verifier::builder()
        .issuer(expected.issuer.unwrap_or_default())
        .audience(expected.audience.unwrap_or_default())
        .typ(expected.typ.unwrap_or_default())
        .algorithms(&keys.algorithms)
        .leeway(expected.leeway)
        .build()
}

fn accepted(context: &Context, jwt: &VerifiedJwt<'_>, now: UnixTime) -> anyhow::Result<()> {
    let claims: Value = jwt.claims().unwrap_or_default();
    let value = json!({ "verdict": "accept", "alg": jwt.algorithm().name(), "kid": jwt.kid(), "claims": claims });
    context.output.result(&value, |out| {
        let (subject, end) = (printable(jwt.subject().unwrap_or("(no subject)")), when::relative(jwt.expires(), now));
        writeln!(out, "{GOOD}accepted{GOOD:#}: {subject}, signed with {}, expires {end}", jwt.algorithm().name())
    })?;
    Ok(())
}

/// A weak key is named before the check that fails for want of it.
fn refused(context: &Context, judgement: &Judgement, first: &'static str) -> anyhow::Result<()> {
    let code = judgement.code().unwrap_or(first);
    let failed: Vec<_> = judgement.lines(State::Failed).collect();
    let value = json!({ "verdict": "reject", "code": code, "failed": failed });
    context.output.result(&value, |out| print(out, judgement, code))?;
    Err(CliError::Rejected { what: "the token is refused".into(), code: code.to_owned() }.into())
}

fn print(out: &mut dyn Write, judgement: &Judgement, code: &str) -> io::Result<()> {
    writeln!(out, "{BAD}refused{BAD:#}: {code}")?;
    judgement.lines(State::Failed).try_for_each(|line| print_line(out, line))
}
