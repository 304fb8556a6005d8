//! Which server is meant.

use std::path::PathBuf;

use misario_core::secret::SecretText;

use super::{Admin, Direct};
use crate::cli::Context;
use crate::data::DataFolder;
use crate::data::instance::Instance;
use crate::data::run_file::{Credential, Run, RunFile};
use crate::environment::Environment;
use crate::failure::CliError;
use crate::host::{self, LogFormat, Opened, Setup};
use crate::http::{Base, Call, HttpClient};
use crate::secrets;

/// The server as typed.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Target {
    /// The server, as an administrator's client from MISARIO_ADMIN_TOKEN or MISARIO_ADMIN_TOKEN_FILE (id:secret)
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The data folder of a server on this machine [default: misario-data]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    data: Option<PathBuf>,
}

impl Target {
    /// The server that is meant, however it is reached.
    pub(crate) async fn connect(&self, context: &Context) -> anyhow::Result<Admin> {
        if let Some(admin) = self.running(context).await? {
            return Ok(admin);
        }
        let folder = self.folder();
        let Some(instance) = Instance::read(&folder)? else {
            return Err(CliError::NoServer { data: folder.path().to_owned() }.into());
        };
        host::start_log(&context.environment, "error", LogFormat::Text)?;
        let opened = Opened::open(&folder, Setup::bare(instance), "misario, a command").await?;
        context.output.note(&format!("no server runs on {}: working on its store directly", folder.path().display()));
        Ok(Admin::direct(Direct::new(opened)))
    }

    /// A server that runs; for what makes no sense without one.
    pub(crate) async fn connect_running(&self, context: &Context) -> anyhow::Result<Admin> {
        let data = self.folder().path().to_owned();
        self.running(context).await?.ok_or_else(|| CliError::NoServer { data }.into())
    }

    fn folder(&self) -> DataFolder {
        DataFolder::at(self.data.as_deref())
    }

    async fn running(&self, context: &Context) -> anyhow::Result<Option<Admin>> {
        if let Some(url) = &self.url {
            let base = Base::parse(url)?;
            let credential = admin_token(&context.environment)?.ok_or(CliError::NoAdminToken)?;
            return Ok(Some(Admin::over_http(base, credential)));
        }
        let Some(run) = RunFile::read(&self.folder())? else { return Ok(None) };
        let base = Base::own(&run.url)?;
        if !is_alive(&base, &run).await {
            return Ok(None);
        }
        Ok(Some(Admin::over_http(base, run.client)))
    }
}

/// Whether the server that wrote the file is there: a killed one leaves its file behind.
async fn is_alive(base: &Base, run: &Run) -> bool {
    let process = i32::try_from(run.pid).ok().and_then(rustix::process::Pid::from_raw);
    let exists = process.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok());
    exists && HttpClient::new().send(base, Call::get("/healthz")).await.is_ok()
}

/// `client-id:secret` from the environment.
fn admin_token(environment: &Environment) -> anyhow::Result<Option<Credential>> {
    let text = match (environment.get("MISARIO_ADMIN_TOKEN_FILE"), environment.get("MISARIO_ADMIN_TOKEN")) {
        (Some(path), _) => secrets::read_file(path.as_ref())?,
        (None, Some(text)) => SecretText::new(text.trim().to_owned()),
        (None, None) => return Ok(None),
    };
    let Some((id, secret)) = text.expose().split_once(':') else {
        let what = "the administrator's token is not of the form client-id:secret".to_owned();
        return Err(CliError::Usage { what, fix: "make one with `misario client add ops --right admin`" }.into());
    };
    Ok(Some(Credential { id: id.to_owned(), secret: SecretText::new(secret.to_owned()) }))
}
