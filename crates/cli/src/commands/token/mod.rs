//! `misario token …`.

mod batch;
mod explain;
mod issue;
mod issuer;
mod judge;
mod material;
mod revoke;
mod verify;

use clap::Subcommand;

use crate::cli::Context;

/// Issue, verify, explain and revoke tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say whether a token is valid here: exit 0 when it is, 1 when it is refused
    Verify(verify::Args),
    /// Show what a token says and how each check ends, whether it is valid or not
    Explain(explain::Args),
    /// Issue an access token
    Issue(issue::Args),
    /// End one token before it expires; it is true everywhere when this returns
    Revoke(revoke::Args),
}

/// Runs the command.
pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Verify(args) => verify::run(&args, context).await,
        Command::Explain(args) => explain::run(&args, context).await,
        Command::Issue(args) => issue::run(&args, context).await,
        Command::Revoke(args) => revoke::run(&args, context).await,
    }
}
