//! `misario dev`: one command, and the whole idea works on this machine.

mod guide;
mod seed;

use std::net::SocketAddr;
use std::path::PathBuf;

use misario_core::app::{App, Mode, Origin as WebOrigin, Transport};
use misario_core::id::AppId;

use crate::admin::Admin;
use crate::cli::Context;
use crate::config::{self, Defaults, Origin, Settings};
use crate::data::DataFolder;
use crate::data::instance::{self, Instance, MadeBy};
use crate::failure::CliError;
use crate::host::{self, LogFormat, Opened, Ready, Setup};
use crate::http::Base;

/// Arguments of `dev`.
#[derive(Debug, clap::Args)]
#[command(after_help = "A misario.toml counts only if it is named with --config; the environment counts always.")]
pub(crate) struct Args {
    /// The folder for store, master key, run.json and dev.json
    #[arg(long, value_name = "DIR", default_value = crate::data::STANDARD)]
    data: PathBuf,
    /// The address to listen on, instead of [listen] http; port 0 for a free one, which a restart takes again [default:
    /// 127.0.0.1:8420]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// What log lines are written in: text or json
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    log: LogFormat,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let http = args.listen.map(|address| (address.to_string(), Origin::Argument { name: "--listen" }));
    // A file counts only when it is named: a project's misario.toml is about its production server.
    let defaults = Defaults { http, own_apps: true };
    let mut settings = config::load(context.config.as_deref(), &context.environment, &defaults)?;
    let address = settings.http;
    if !address.ip().is_loopback() {
        let what = format!("{address} is not on this machine only");
        let fix = "`dev` has demo users whose passwords it prints: it listens on 127.0.0.1; else use `misario serve`";
        return Err(CliError::Usage { what, fix }.into());
    }
    host::start_log(&context.environment, "warn", args.log)?;
    host::raise_file_limit();
    let folder = DataFolder::at(Some(&args.data));
    folder.create()?;
    instance::admit(&folder, &settings.database, MadeBy::Dev)?;
    let socket = listen(&folder, address).await?;
    demo_apps(&mut settings, &socket.1)?;
    let mut setup = Setup::new(settings, socket.1.clone(), MadeBy::Dev);
    setup.config.demo = true;
    let opened = Opened::open(&folder, setup, &format!("misario dev, {}", socket.1)).await?;
    host::serve(opened, &folder, socket, async |ready| make_ready(context, &folder, &ready).await).await
}

async fn make_ready(context: &Context, folder: &DataFolder, ready: &Ready<'_>) -> anyhow::Result<()> {
    let admin = Admin::over_http(Base::parse(ready.url)?, ready.opened.credential.clone());
    let seeded = seed::seed(&admin, folder).await?;
    guide::print(context, folder, ready.url, &seeded)
}

/// With port 0, the port of the last run if it is free: it is part of the issuer, and of every address handed out.
async fn listen(folder: &DataFolder, address: SocketAddr) -> anyhow::Result<(tokio::net::TcpListener, String)> {
    if address.port() == 0
        && let Some(instance) = Instance::read(folder)?
        && let Some(port) = instance.issuer.rsplit(':').next().and_then(|port| port.parse().ok())
        && let Ok(socket) = host::listen(SocketAddr::new(address.ip(), port)).await
    {
        return Ok(socket);
    }
    Ok(host::listen(address).await?)
}

/// One app per way to carry a login, unless the configuration has an app of that name.
fn demo_apps(settings: &mut Settings, url: &str) -> anyhow::Result<()> {
    let mut origins: Vec<WebOrigin> = vec![url.parse()?];
    origins.extend(url.rsplit(':').next().map(|port| format!("http://localhost:{port}").parse()).transpose()?);
    for (name, mode, transports) in [
        ("web", Mode::Session, &[Transport::Cookie][..]),
        ("spa", Mode::Hybrid, &[Transport::Split, Transport::Bearer]),
        ("service", Mode::Jwt, &[Transport::Bearer]),
    ] {
        let id = AppId::new(name)?;
        if settings.apps.iter().all(|(app, _)| app.id != id) {
            settings.apps.push((App::new(id, mode, transports, origins.clone()), Origin::Default));
        }
    }
    Ok(())
}
