//! `misario client add|list|rotate|disable`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::app::text;
use super::published;
use crate::admin::{Admin, Target, segment};
use crate::cli::Context;
use crate::output::{FAINT, NAME, table};

/// Everything that signs in without being a person.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a client and print its secret, once
    Add(Add),
    /// List the clients
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Make another secret; the one before still counts until the next rotation
    Rotate {
        /// The client
        client: String,
        /// End every earlier secret at once
        #[arg(long)]
        drop_old: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Refuse a client everywhere
    Disable {
        /// The client
        client: String,
        #[command(flatten)]
        target: Target,
    },
}

/// Arguments of `client add`.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// Its name
    client: String,
    /// The app it belongs to; without one it acts for any app
    #[arg(long)]
    app: Option<String>,
    /// What it may do
    #[arg(long = "right", value_name = "RIGHT", value_parser = ["introspect", "revoke", "feed", "issue", "admin"])]
    rights: Vec<String>,
    /// A scope that its own tokens may have
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    #[command(flatten)]
    target: Target,
}

/// Runs the command.
pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    let (Command::Add(Add { target, .. })
    | Command::List { target }
    | Command::Rotate { target, .. }
    | Command::Disable { target, .. }) = &command;
    let admin = target.connect(context).await?;
    let result = match &command {
        Command::Add(args) => add(&admin, context, args).await,
        Command::List { .. } => list(&admin, context).await,
        Command::Rotate { client, drop_old, .. } => rotate(&admin, context, client, *drop_old).await,
        Command::Disable { client, .. } => disable(&admin, context, client).await,
    };
    admin.close().await;
    result
}

async fn add(admin: &Admin, context: &Context, args: &Add) -> anyhow::Result<()> {
    let mut body = json!({ "id": args.client, "rights": args.rights, "scopes": args.scopes });
    if let Some(app) = &args.app {
        body["app"] = app.as_str().into();
    }
    let answer = admin.post("/admin/v1/clients", &body).await?;
    context.output.result(&answer, |out| {
        writeln!(out, "added {NAME}{}{NAME:#}", args.client)?;
        writeln!(out, "secret: {}   {FAINT}(shown once){FAINT:#}", text(&answer["secret"]))
    })?;
    Ok(())
}

async fn list(admin: &Admin, context: &Context) -> anyhow::Result<()> {
    let answer = admin.get("/admin/v1/clients").await?;
    let row = |client: &Value| {
        let state = if client["disabled"].as_bool() == Some(true) { "disabled" } else { "active" };
        vec![text(&client["id"]), text(&client["app"]), text(&client["rights"]), state.to_owned()]
    };
    let rows: Vec<_> = answer["clients"].as_array().into_iter().flatten().map(row).collect();
    Ok(context.output.result(&answer, |out| table(out, &["client", "app", "rights", "state"], &rows))?)
}

async fn rotate(admin: &Admin, context: &Context, client: &str, drop_old: bool) -> anyhow::Result<()> {
    let body = json!({ "drop_old": drop_old });
    let answer = admin.post(&format!("/admin/v1/clients/{}/rotate", segment(client)), &body).await?;
    let before = if drop_old { "every earlier one is over" } else { "the one before counts until the next rotation" };
    context.output.result(&answer, |out| {
        writeln!(out, "{NAME}{client}{NAME:#} has another secret; {before}")?;
        writeln!(out, "secret: {}   {FAINT}(shown once){FAINT:#}", text(&answer["secret"]))
    })?;
    Ok(())
}

async fn disable(admin: &Admin, context: &Context, client: &str) -> anyhow::Result<()> {
    let answer = admin.post(&format!("/admin/v1/clients/{}/disable", segment(client)), &json!({})).await?;
    context.output.result(&answer, |out| {
        writeln!(out, "{NAME}{client}{NAME:#} is refused")?;
        published::print(out, &answer["published"])
    })?;
    Ok(())
}
