//! `misario keys list|generate|check`.

mod check;
mod manage;

use clap::Subcommand;

use crate::admin::Target;
use crate::cli::Context;

/// Signing keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the keys that sign, or that still verify
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Make a signing key; it signs once every verifier knows it
    Generate(manage::Generate),
    /// Say which keys of a file can be used: exit 0 when at least one can
    Check(check::Args),
}

/// Runs the command.
pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List { target } => manage::list(&target, context).await,
        Command::Generate(args) => manage::generate(&args, context).await,
        Command::Check(args) => check::run(&args, context),
    }
}
