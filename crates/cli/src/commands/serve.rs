//! `misario serve`: the server for production. It needs a configuration file, makes no accounts, and refuses unsafe
//! settings.

use std::path::PathBuf;

use misario_core::app::BUILT_IN;
use misario_core::id::AppId;
use misario_core::user::{Grant, UserState};
use misario_server::instance::UserView;
use serde_json::json;

use crate::cli::Context;
use crate::config::{self, ConfigError, ConfigErrors, Defaults, FILE};
use crate::data::DataFolder;
use crate::data::instance::{self, MadeBy};
use crate::host::{self, LogFormat, Opened, Ready, Setup};
use crate::output::{GOOD, NAME};

/// How many users are looked at, in pages of so many, for whether one of them is an administrator.
const LOOKED_AT: u32 = 2_000;
const PAGE: u32 = 500;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder for store, master key and run.json
    #[arg(long, value_name = "DIR", default_value = crate::data::STANDARD)]
    data: PathBuf,
    /// The address to listen on, instead of [listen] http
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// What log lines are written in: text or json
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    log: LogFormat,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let file = context.config_file().ok_or_else(|| {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such file");
        ConfigErrors(vec![ConfigError::Unreadable { path: FILE.into(), source }])
    })?;
    let http = args.listen.map(|address| (address, config::Origin::Argument { name: "--listen" }));
    let settings = config::load(Some(&file), &context.environment, &Defaults { http, own_apps: false })?;
    host::start_log(&context.environment, "info", args.log)?;
    host::raise_file_limit();
    let folder = DataFolder::at(Some(&args.data));
    instance::admit(&folder, &settings.database, MadeBy::Serve)?;
    let address = settings.http;
    let issuer = settings.issuer.clone().unwrap_or_default();
    let bootstrap = settings.bootstrap_secret.is_some();
    let socket = host::listen(address).await?;
    let setup = Setup::new(settings, issuer.clone(), MadeBy::Serve);
    let opened = Opened::open(&folder, setup, &format!("misario serve, {}", socket.1)).await?;
    host::serve(opened, &folder, socket, async |ready| announce(context, &ready, &issuer, bootstrap).await).await
}

async fn announce(context: &Context, ready: &Ready<'_>, issuer: &str, bootstrap: bool) -> anyhow::Result<()> {
    let url = ready.url;
    tracing::info!(url, issuer, "ready");
    let hint = (has_administrator(ready).await == Some(false)).then(|| hint(issuer, bootstrap));
    let value = json!({ "url": url, "issuer": issuer, "pid": std::process::id(), "hint": hint });
    context.output.result(&value, |out| {
        writeln!(out, "{GOOD}ready{GOOD:#} on {NAME}{url}{NAME:#} as {issuer}")?;
        hint.iter().try_for_each(|hint| writeln!(out, "{hint}"))
    })?;
    Ok(())
}

fn hint(issuer: &str, bootstrap: bool) -> String {
    if bootstrap {
        format!(
            "There is no administrator yet. Make the first one, once, with the bootstrap secret:\n  \
             POST {issuer}/admin/v1/bootstrap {{\"secret\", \"username\", \"password\"}}"
        )
    } else {
        "There is no administrator yet. On this machine: misario user add NAME --role misario:admin\n  \
         From elsewhere: set MISARIO_BOOTSTRAP__SECRET_FILE and start again."
            .to_owned()
    }
}

/// Whether an active administrator was found; `None` when there are too many users to look at each, or when the store
/// does not say: nobody waits, and no start fails, for the sake of a hint.
async fn has_administrator(ready: &Ready<'_>) -> Option<bool> {
    let (instance, mut after) = (ready.opened.server.instance(), None);
    for _ in 0..LOOKED_AT / PAGE {
        let (users, next) = instance.list_users(after.as_deref(), PAGE).await.ok()?;
        if users.iter().any(is_active_administrator) {
            return Some(true);
        }
        if next.is_none() {
            return Some(false);
        }
        after = next;
    }
    None
}

fn is_active_administrator(user: &UserView) -> bool {
    let administrates =
        |(app, grant): (&AppId, &Grant)| app.as_str() == BUILT_IN && grant.roles.iter().any(|role| role == "admin");
    user.state == UserState::Active && user.grants.iter().any(administrates)
}
