//! `misario keys check FILE`: which keys of a published set would be used.

use std::fs;
use std::path::PathBuf;

use misario_jose::{JwkSet, KeyError, KeySet, UnusableKey, VerifyingKey};
use serde_json::{Value, json};

use crate::cli::Context;
use crate::failure::CliError;
use crate::output::{BAD, GOOD, printable};
use crate::pem;

/// Arguments of `keys check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A JWK set, a single JWK, or a public key in PEM
    file: PathBuf,
    /// Read it as symmetric keys from configuration, not as a published set
    #[arg(long)]
    symmetric: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let unreadable = |source| CliError::FileUnreadable { path: args.file.clone(), source };
    let bytes = fs::read(&args.file).map_err(unreadable)?;
    let (usable, unusable) = parse(&bytes, args.symmetric).map_err(|error| whole_set(context, error))?;
    let good: Vec<Value> = usable.iter().map(describe).collect();
    let bad: Vec<Value> = unusable.iter().map(complaint).collect();
    context.output.result(&json!({ "usable": good, "unusable": bad }), |out| {
        for key in &good {
            writeln!(out, "{GOOD}usable{GOOD:#}    {}  {}", text(&key["kid"]), text(&key["alg"]))?;
        }
        for key in &bad {
            let (kid, code, what) = (text(&key["kid"]), text(&key["code"]), text(&key["what"]));
            writeln!(out, "{BAD}unusable{BAD:#}  {kid}  {code}: {what}")?;
        }
        Ok(())
    })?;
    if usable.is_empty() {
        let code = unusable.first().map_or("key_set_without_keys", |key| key.error.code()).to_owned();
        return Err(CliError::Rejected { what: format!("no key of {} can be used", args.file.display()), code }.into());
    }
    Ok(())
}

fn parse(bytes: &[u8], symmetric: bool) -> Result<(KeySet, Vec<UnusableKey>), KeyError> {
    let read = |bytes: &[u8]| if symmetric { JwkSet::parse_secret(bytes) } else { JwkSet::parse_public(bytes) };
    let text = String::from_utf8_lossy(bytes);
    if text.trim_start().starts_with("-----BEGIN ") {
        return read(pem::key_set(&text)?.to_string().as_bytes());
    }
    match read(bytes) {
        // A single key is checked as a set of one. Its text is passed on as it is, so that it is judged as strictly.
        Err(KeyError::SetWithoutKeys) if is_single_key(bytes) => {
            read(&[b"{\"keys\":[", bytes.trim_ascii(), b"]}"].concat())
        }
        result => result,
    }
}

fn is_single_key(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes).is_ok_and(|value| value.get("kty").is_some())
}

/// A set that is refused as a whole has one line, like a key.
fn whole_set(context: &Context, error: KeyError) -> anyhow::Error {
    let value = json!({ "usable": [], "unusable": [{ "code": error.code(), "what": error.to_string() }] });
    let printed = context
        .output
        .result(&value, |out| writeln!(out, "{BAD}unusable{BAD:#}  (the whole set)  {}: {error}", error.code()));
    match printed {
        Ok(()) => CliError::Rejected { what: "no key of the set can be used".into(), code: error.code().into() }.into(),
        Err(error) => error.into(),
    }
}

fn describe(key: &VerifyingKey) -> Value {
    json!({ "kid": key.kid().map(ToString::to_string), "alg": key.algorithm().name() })
}

fn complaint(key: &UnusableKey) -> Value {
    json!({
        "index": key.index,
        "kid": key.kid.as_ref().map(ToString::to_string),
        "code": key.error.code(),
        "what": key.error.to_string(),
    })
}

fn text(value: &Value) -> String {
    printable(value.as_str().unwrap_or("(no kid)"))
}
