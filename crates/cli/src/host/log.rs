//! Logging: to standard error, as text or JSON, as much as `MISARIO_LOG` asks for.

use std::io::{self, IsTerminal as _};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::environment::Environment;
use crate::failure::CliError;

/// What lines are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging; `standard` is the level that counts where `MISARIO_LOG` says nothing.
pub(crate) fn start(environment: &Environment, standard: &str, format: LogFormat) -> Result<(), CliError> {
    let directives = environment.get("MISARIO_LOG").unwrap_or(standard);
    // Whoever opens a store prints why it cannot, once and with what to do about it.
    let directives = format!("{directives},misario_store_sqlite::open=off");
    let filter = EnvFilter::try_new(&directives).map_err(|error| CliError::Usage {
        what: format!("MISARIO_LOG: {error}"),
        fix: "write a level (error, warn, info, debug, trace), or target=level, separated by commas",
    })?;
    let filter = filter.and(filter_fn(is_ours_or_matters));
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let registry = tracing_subscriber::registry();
    match format {
        LogFormat::Text => registry.with(layer.with_filter(filter)).init(),
        LogFormat::Json => registry.with(layer.json().with_ansi(false).with_filter(filter)).init(),
    }
    Ok(())
}

/// misario's own at every level, everybody else's up to `INFO`: what libraries write below that are the requests, frames
/// and statements that pass through them, credentials included.
fn is_ours_or_matters(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("misario") || *metadata.level() <= Level::INFO
}
