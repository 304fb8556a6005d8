//! `misario app list|show|mode`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::published;
use crate::admin::{Admin, Target, segment};
use crate::cli::Context;
use crate::config::duration_text;
use crate::output::{FAINT, NAME, table};

/// What users log in to.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the apps
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Show one app: what counts, and who said so
    Show {
        /// The app
        app: String,
        #[command(flatten)]
        target: Target,
    },
    /// Switch an app between session, jwt and hybrid while its users stay signed in
    Mode {
        /// The app
        app: String,
        /// What sign-ins and refreshes hand out from then on
        #[arg(value_parser = ["session", "jwt", "hybrid"])]
        mode: String,
        #[command(flatten)]
        target: Target,
    },
}

/// Runs the command.
pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    let (Command::List { target } | Command::Show { target, .. } | Command::Mode { target, .. }) = &command;
    let admin = target.connect(context).await?;
    let result = match &command {
        Command::List { .. } => list(&admin, context).await,
        Command::Show { app, .. } => show(&admin, context, app).await,
        Command::Mode { app, mode, .. } => switch(&admin, context, app, mode).await,
    };
    admin.close().await;
    result
}

async fn list(admin: &Admin, context: &Context) -> anyhow::Result<()> {
    let answer = admin.get("/admin/v1/apps").await?;
    let apps = answer["apps"].as_array().cloned().unwrap_or_default();
    let row = |entry: &Value| {
        let app = &entry["app"];
        vec![text(&app["id"]), text(&app["mode"]), text(&app["transports"]), text(&app["origins"])]
    };
    let rows: Vec<_> = apps.iter().map(row).collect();
    Ok(context.output.result(&answer, |out| table(out, &["app", "mode", "transports", "origins"], &rows))?)
}

async fn show(admin: &Admin, context: &Context, app: &str) -> anyhow::Result<()> {
    let answer = admin.get(&format!("/admin/v1/apps/{}", segment(app))).await?;
    context.output.result(&answer, |out| {
        for (name, value) in answer["app"].as_object().into_iter().flatten() {
            match value {
                Value::Object(inner) if name == "cookies" => {
                    inner.iter().try_for_each(|(name, value)| line(out, &format!("{name}_cookie"), value))?;
                }
                Value::Object(inner) => inner.iter().try_for_each(|(name, value)| line(out, name, value))?,
                value => line(out, name, value)?,
            }
        }
        writeln!(out, "{FAINT}last changed by: {}{FAINT:#}", text(&answer["source"]))
    })?;
    Ok(())
}

fn line(out: &mut dyn std::io::Write, name: &str, value: &Value) -> std::io::Result<()> {
    let lifetimes = ["access", "idle", "absolute", "renew_window", "reuse_interval"];
    let shown = match value.as_u64() {
        Some(seconds) if lifetimes.contains(&name) => duration_text(std::time::Duration::from_secs(seconds)),
        _ => text(value),
    };
    writeln!(out, "{NAME}{name:<16}{NAME:#} {shown}")
}

async fn switch(admin: &Admin, context: &Context, app: &str, mode: &str) -> anyhow::Result<()> {
    let answer = admin.patch(&format!("/admin/v1/apps/{}", segment(app)), &json!({ "mode": mode })).await?;
    context.output.result(&answer, |out| {
        writeln!(out, "{NAME}{app}{NAME:#} hands out {mode} credentials from here on; those in use go on")?;
        published::print(out, &answer["published"])
    })?;
    Ok(())
}

/// A value for people: a list without brackets, a text without quotes.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use misario_core::app::Mode;

    #[test]
    fn every_mode_can_be_switched_to() {
        for mode in ["session", "jwt", "hybrid"] {
            assert_eq!(mode.parse::<Mode>().unwrap().name(), mode);
        }
    }
}
