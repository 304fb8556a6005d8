//! `misario demo revoke|refresh|switch`: the three promises, kept before your eyes, on a running server.
//!
//! Each demonstration is a client like any other: it knows the HTTP API and nothing else. It counts what breaks its
//! promise, and exits with 1 if anything does. What it works on is its own: apps, a user and a client named `demo…`.

mod paused;
mod refresh;
mod revoke;
mod second;
mod stage;
mod switch;

use clap::Subcommand;
use serde_json::Value;

use crate::cli::Context;
use crate::failure::CliError;
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

/// Runs the command.
pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Revoke(args) => revoke::run(&args, context).await,
        Command::Refresh(args) => refresh::run(&args, context).await,
        Command::Switch(args) => switch::run(&args, context).await,
    }
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
