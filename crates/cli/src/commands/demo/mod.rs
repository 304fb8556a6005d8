//! `misario demo revoke|refresh|switch`: the three promises, kept before your eyes, on a running server.
//!
//! Each demonstration is a client like any other: it knows the HTTP API and nothing else. It counts what breaks its
//! promise, and exits with 1 if anything does. What it works on is its own: apps, a user and clients named `demo…`, and
//! however it ends, nobody can sign in with them afterwards.

mod paused;
mod refresh;
mod revoke;
mod second;
mod stage;
mod switch;

use clap::Subcommand;
use serde_json::Value;

use self::stage::Stage;
use crate::admin::Target;
use crate::cli::Context;
use crate::failure::CliError;
use crate::host::StopSignals;
use crate::output::{BAD, GOOD};

/// See the promises kept.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A revoke that has returned is true in every process, even in one that was stopped meanwhile
    Revoke(revoke::Args),
    /// Parallel refreshes and lost answers end no login; a stolen old refresh token ends the family
    Refresh(refresh::Args),
    /// An app switches between session, hybrid and jwt, and nobody is signed out
    Switch(switch::Args),
}

/// What a demonstration leaves behind, for its help.
const LEAVES: &str = "It works with apps, a user and clients of its own, named demo…; the apps stay. When it ends, also\n\
                      by Ctrl-C or a failure, the user is disabled and the clients' secrets are over.";

/// Runs the command.
pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Revoke(args) => {
            on_stage(&args.target, context, async |stage| revoke::show(&args, context, stage).await).await
        }
        Command::Refresh(args) => {
            on_stage(&args.target, context, async |stage| refresh::show(&args, context, stage).await).await
        }
        Command::Switch(args) => {
            on_stage(&args.target, context, async |stage| switch::show(&args, context, stage).await).await
        }
    }
}

/// Prepares the server, shows, and leaves nothing behind that anybody could use, however the show ended.
async fn on_stage<F>(target: &Target, context: &Context, show: F) -> anyhow::Result<()>
where
    F: AsyncFnOnce(&Stage) -> anyhow::Result<()>,
{
    let mut signals = StopSignals::catch()?;
    let stage = Stage::set(target, context).await?;
    let shown = tokio::select! {
        shown = show(&stage) => shown,
        () = signals.next() => Err(CliError::Interrupted.into()),
    };
    let left = stage.leave().await;
    shown.and(left.map_err(Into::into))
}

/// Prints what was seen, and fails the command if the promise broke.
fn conclude(
    context: &Context,
    demo: &'static str,
    (violations, mut report): (u64, Value),
    lines: &[String],
) -> anyhow::Result<()> {
    report["demo"] = demo.into();
    report["violations"] = violations.into();
    context.output.result(&report, |out| {
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        match violations {
            0 => writeln!(out, "{GOOD}0 violations{GOOD:#}"),
            _ => writeln!(out, "{BAD}{violations} violations{BAD:#}"),
        }
    })?;
    if violations > 0 { Err(CliError::PromiseBroken { demo, violations }.into()) } else { Ok(()) }
}
