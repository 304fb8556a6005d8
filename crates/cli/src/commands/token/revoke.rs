//! `misario token revoke`: one token, before it expires.

use misario_jose::{KeySet, Verifier};
use serde_json::json;

use super::material::TokenSource;
use crate::admin::Target;
use crate::cli::Context;
use crate::clock;
use crate::commands::session;
use crate::failure::CliError;

/// Arguments of `token revoke`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The token's id (its claim `jti`); without it the token itself is read
    #[arg(long, conflicts_with = "token_file")]
    jti: Option<String>,
    #[command(flatten)]
    source: TokenSource,
    #[command(flatten)]
    target: Target,
}

/// Runs the command.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let jti = match &args.jti {
        Some(jti) => jti.clone(),
        None => jti_of(args.source.read()?.expose())?,
    };
    let admin = args.target.connect(context).await?;
    let result = session::revoke(&admin, context, &json!({ "token": jti }), true).await;
    admin.close().await;
    result
}

/// The id is believed as it stands: whoever may revoke may revoke any id.
fn jti_of(token: &str) -> Result<String, CliError> {
    let look = Verifier::builder().issuer("").audience("").build().explain(token, &KeySet::new(), clock::now());
    look.claims["jti"].as_str().map(str::to_owned).ok_or_else(|| CliError::Usage {
        what: "the token names no id (jti), so it cannot be revoked alone".to_owned(),
        fix: "end the login (`misario session revoke --sid`), or the user's logins (`--user`)",
    })
}
