//! `misario config check|show`.

mod stored;

use clap::Subcommand;
use serde_json::json;

use self::stored::Row;
use crate::admin::Target;
use crate::cli::Context;
use crate::config::{self, Defaults, Settings, Shown};
use crate::output::{FAINT, GOOD, table};

const AFTER_SHOW: &str = "\
Without a running server the store is opened for the moment, and a server that starts meanwhile finds it locked.
The store of `misario dev` is shown only if its folder is named with --data.";

/// Check and show the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say whether `misario serve` would start with this configuration, and what is wrong otherwise
    Check,
    /// Print every setting and where it comes from, and beside it what the store holds; secrets are not shown
    #[command(after_help = AFTER_SHOW)]
    Show {
        #[command(flatten)]
        target: Target,
    },
}

/// Runs the command.
pub(crate) async fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    let file = context.config_file();
    let settings = config::load(file.as_deref(), &context.environment, &Defaults::default())?;
    match command {
        Command::Check => check(context, &settings),
        Command::Show { target } => show(context, &settings, target).await,
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

async fn show(context: &Context, settings: &Settings, target: &Target) -> anyhow::Result<()> {
    let Some(rows) = stored::beside(context, settings, target).await? else {
        let value = json!({ "settings": settings.shown });
        context.output.result(&value, |out| {
            let cells = |shown: &Shown| vec![shown.key.clone(), shown.value.clone(), shown.origin.clone()];
            table(out, &["setting", "value", "from"], &settings.shown.iter().map(cells).collect::<Vec<_>>())?;
            writeln!(
                out,
                "{FAINT}What the store holds for an app counts above its file; no store is shown here.{FAINT:#}"
            )
        })?;
        return Ok(());
    };
    let differ = rows.iter().filter(|row| row.differs).count();
    context.output.result(&json!({ "settings": rows }), |out| {
        let heading = ["setting", "value", "from", "in the store", "changed by"];
        table(out, &heading, &rows.iter().map(Row::cells).collect::<Vec<_>>())?;
        writeln!(out, "{FAINT}{differ} settings differ; for an app, what the store holds counts.{FAINT:#}")
    })?;
    Ok(())
}
