//! `misario session list|revoke`.

use clap::Subcommand;
use misario_jose::UnixTime;
use serde_json::{Value, json};

use super::app::text;
use super::published;
use crate::admin::{Admin, Target, segment};
use crate::cli::Context;
use crate::clock;
use crate::output::table;
use crate::when;

/// Logins.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List logins that have a record (modes session and hybrid)
    List {
        /// Of this user (name or subject)
        #[arg(long)]
        user: Option<String>,
        /// In this app
        #[arg(long)]
        app: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// End logins; it is true everywhere when this returns
    Revoke(Revoke),
}

/// Arguments of `session revoke`.
#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    what: What,
    /// Do not wait until it is true everywhere
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    target: Target,
}

/// What to end: exactly one.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct What {
    /// One login
    #[arg(long, value_name = "SID")]
    sid: Option<String>,
    /// All logins of a user (name or subject)
    #[arg(long)]
    user: Option<String>,
    /// All logins of an app
    #[arg(long)]
    app: Option<String>,
    /// All logins
    #[arg(long)]
    everything: bool,
}

/// Runs the command.
pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    let (Command::List { target, .. } | Command::Revoke(Revoke { target, .. })) = &command;
    let admin = target.connect(context).await?;
    let result = match &command {
        Command::List { user, app, .. } => list(&admin, context, user.as_deref(), app.as_deref()).await,
        Command::Revoke(args) => revoke(&admin, context, &target_of(&args.what), !args.no_wait).await,
    };
    admin.close().await;
    result
}

async fn list(admin: &Admin, context: &Context, user: Option<&str>, app: Option<&str>) -> anyhow::Result<()> {
    let mut path = "/admin/v1/sessions?limit=200".to_owned();
    for (name, value) in [("subject", user), ("app", app)] {
        if let Some(value) = value {
            path = format!("{path}&{name}={}", segment(value));
        }
    }
    let sessions = super::pages(admin, &path, "sessions").await?;
    let now = clock::now();
    let ago =
        |value: &Value| value.as_u64().map_or_else(String::new, |at| when::relative(UnixTime::from_secs(at), now));
    let row = |session: &Value| {
        let device = text(&session["device"]["label"]);
        let ends = ago(&session["login_expires_at"]);
        vec![
            text(&session["sid"]),
            text(&session["subject"]),
            text(&session["app"]),
            ago(&session["last_seen"]),
            ends,
            device,
        ]
    };
    let rows: Vec<_> = sessions.iter().map(row).collect();
    let heading = ["sid", "subject", "app", "last seen", "ends", "device"];
    Ok(context.output.result(&json!({ "sessions": sessions }), |out| table(out, &heading, &rows))?)
}

fn target_of(what: &What) -> Value {
    match (&what.sid, &what.user, &what.app) {
        (Some(sid), ..) => json!({ "login": sid }),
        (_, Some(user), _) => json!({ "user": user }),
        (.., Some(app)) => json!({ "app": app }),
        _ => json!("everything"),
    }
}

/// Revokes what `target` says, and prints what the barrier says.
pub(super) async fn revoke(admin: &Admin, context: &Context, target: &Value, wait: bool) -> anyhow::Result<()> {
    let published = admin.post("/admin/v1/revoke", &json!({ "target": target, "wait": wait })).await?;
    context.output.result(&published, |out| {
        if wait {
            writeln!(out, "revoked")?;
            published::print(out, &published)
        } else {
            writeln!(out, "revoked at position {}; not waited for", text(&published["position"]))
        }
    })?;
    Ok(())
}
