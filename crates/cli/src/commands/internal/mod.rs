//! What the program calls itself for; nobody has to type this.

pub(crate) mod app;
pub(crate) mod errors;
pub(crate) mod routes;

use crate::cli::Context;

/// What to generate.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Topic {
    /// `docs/errors.md`
    Errors,
    /// Every route with its policy
    Routes,
    /// The routes that ask nothing of their caller
    PublicRoutes,
}

/// Prints what is generated from code.
pub(crate) fn generate(topic: Topic, context: &Context) -> anyhow::Result<()> {
    let text = match topic {
        Topic::Errors => errors::page(),
        Topic::Routes => routes::all(),
        Topic::PublicRoutes => routes::public(),
    };
    context.output.result(&text, |out| write!(out, "{text}"))?;
    Ok(())
}
