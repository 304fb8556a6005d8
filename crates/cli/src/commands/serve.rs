//! `misario serve`: the server for production. It needs a configuration file, makes no accounts, and refuses unsafe
//! settings.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::pages;
use crate::admin::Admin;
use crate::cli::Context;
use crate::config::{self, ConfigError, ConfigErrors, Defaults, FILE};
use crate::data::DataFolder;
use crate::data::run_file::Credential;
use crate::host::{self, LogFormat, Opened, Ready, Setup};
use crate::http::Base;
use crate::output::{GOOD, NAME};

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
    let address = settings.http;
    let issuer = settings.issuer.clone().unwrap_or_default();
    let bootstrap = settings.bootstrap_secret.is_some();
    let socket = host::listen(address).await?;
    let opened =
        Opened::open(&folder, Setup::new(settings, issuer.clone()), &format!("misario serve, {}", socket.1)).await?;
    host::serve(opened, &folder, socket, async |ready| announce(context, &ready, &issuer, bootstrap).await).await
}

async fn announce(context: &Context, ready: &Ready<'_>, issuer: &str, bootstrap: bool) -> anyhow::Result<()> {
    let url = ready.url;
    tracing::info!(url, issuer, "ready");
    let hint = if has_administrator(ready).await? { None } else { Some(hint(issuer, bootstrap)) };
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

async fn has_administrator(ready: &Ready<'_>) -> anyhow::Result<bool> {
    let Credential { id, secret } = &ready.opened.credential;
    let admin = Admin::over_http(Base::parse(ready.url)?, Credential { id: id.clone(), secret: secret.clone() });
    let users = pages(&admin, "/admin/v1/users?limit=1000", "users").await?;
    let is_admin = |user: &Value| {
        let roles = user["grants"]["misario"]["roles"].as_array();
        user["state"] == "active" && roles.is_some_and(|roles| roles.iter().any(|role| role == "admin"))
    };
    Ok(users.iter().any(is_admin))
}
