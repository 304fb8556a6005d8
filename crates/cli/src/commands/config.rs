//! `misario config check|show`.

use clap::Subcommand;
use serde_json::json;

use crate::cli::Context;
use crate::config::{self, Defaults, Settings};
use crate::output::{FAINT, GOOD, table};

/// Check and show the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say whether `misario serve` would start with this configuration, and what is wrong otherwise
    Check,
    /// Print every effective setting and where it comes from; secrets are not shown
    Show,
}

/// Runs the command.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    let file = context.config_file();
    let settings = config::load(file.as_deref(), &context.environment, &Defaults::default())?;
    match command {
        Command::Check => check(context, &settings),
        Command::Show => show(context, &settings),
    }
}

fn check(context: &Context, settings: &Settings) -> anyhow::Result<()> {
    let (apps, policies) = (settings.apps.len(), settings.policies.len());
    let value = json!({ "ok": true, "apps": apps, "policies": policies });
    context.output.result(&value, |out| {
        writeln!(out, "{GOOD}ok{GOOD:#}: {apps} apps, {policies} policies, issuer {}", issuer(settings))
    })?;
    Ok(())
}

fn issuer(settings: &Settings) -> &str {
    settings.issuer.as_deref().unwrap_or_default()
}

fn show(context: &Context, settings: &Settings) -> anyhow::Result<()> {
    let value = json!({ "settings": settings.shown });
    context.output.result(&value, |out| {
        let cells = |shown: &config::Shown| vec![shown.key.clone(), shown.value.clone(), shown.origin.clone()];
        table(out, &["setting", "value", "from"], &settings.shown.iter().map(cells).collect::<Vec<_>>())?;
        writeln!(out, "{FAINT}What the store holds for an app counts above its file: `misario app show`.{FAINT:#}")
    })?;
    Ok(())
}
