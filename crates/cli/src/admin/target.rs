//! Which server is meant.

use std::path::PathBuf;
use std::time::Duration;

use misario_core::secret::SecretText;

use super::{Admin, Direct};
use crate::cli::Context;
use crate::data::instance::{self, Instance};
use crate::data::lock::FolderLock;
use crate::data::run_file::{Credential, RunFile};
use crate::data::{DataFolder, owner};
use crate::environment::Environment;
use crate::failure::CliError;
use crate::host::{self, LogFormat, Opened, Setup};
use crate::http::{Base, Call, HttpClient};
use crate::secrets;

/// How long a server of this machine may take to say that it lives.
const PATIENCE: Duration = Duration::from_secs(3);

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
        let data = self.folder().path().to_owned();
        self.connect_if_any(context).await?.ok_or_else(|| CliError::NoServer { data }.into())
    }

    /// The server that is meant, however it is reached; `None` where none runs and there is no store.
    pub(crate) async fn connect_if_any(&self, context: &Context) -> anyhow::Result<Option<Admin>> {
        if let Some(admin) = self.running(context).await? {
            return Ok(Some(admin));
        }
        let folder = self.folder();
        let Some(instance) = Instance::of_store(&folder)? else { return Ok(None) };
        host::start_log(&context.environment, "error", LogFormat::Text)?;
        let opened = Opened::open(&folder, Setup::bare(instance), "misario, a command").await?;
        context.output.note(&format!("no server runs on {}: working on its store directly", folder.path().display()));
        Ok(Some(Admin::direct(Direct::new(opened))))
    }

    /// A server that runs; for what makes no sense without one.
    pub(crate) async fn connect_running(&self, context: &Context) -> anyhow::Result<Admin> {
        if let Some(admin) = self.running(context).await? {
            return Ok(admin);
        }
        let (folder, data) = (self.folder(), self.folder().path().to_owned());
        let has_store = Instance::of_store(&folder)?.is_some();
        Err(if has_store { CliError::NotRunning { data } } else { CliError::NoServer { data } }.into())
    }

    /// Whether somebody said which server is meant.
    pub(crate) const fn is_named(&self) -> bool {
        self.url.is_some() || self.data.is_some()
    }

    /// Whether it is the store of `misario dev`, and nobody said that it is meant.
    pub(crate) fn is_of_dev_unnamed(&self) -> Result<bool, CliError> {
        Ok(!self.is_named() && instance::is_of_dev(&self.folder())?)
    }

    fn folder(&self) -> DataFolder {
        DataFolder::at(self.data.as_deref())
    }

    /// The server that runs, if one does.
    pub(crate) async fn running(&self, context: &Context) -> anyhow::Result<Option<Admin>> {
        if let Some(url) = &self.url {
            let base = Base::parse(url)?;
            let credential = admin_token(&context.environment)?.ok_or(CliError::NoAdminToken)?;
            return Ok(Some(Admin::over_http(base, credential)));
        }
        let folder = self.folder();
        owner::admit(&folder)?;
        // The lock first: its holder removed what an earlier one left, so a file that is read after this is its own. One
        // that nobody holds a lock for names an address, and the secret in it is none of a stranger's business.
        let Some(holder) = FolderLock::holder(&folder)? else { return Ok(None) };
        let Some(run) = RunFile::read(&folder)?.filter(|run| holder.pid == Some(run.pid)) else { return Ok(None) };
        let base = Base::own(&run.url)?;
        answers(&base).await?;
        Ok(Some(Admin::over_http(base, run.client)))
    }
}

/// Fails soon where the server is there and does not answer, before anything is asked that may take its time.
async fn answers(base: &Base) -> Result<(), CliError> {
    let why = || format!("it runs, and nothing came within {} s", PATIENCE.as_secs());
    let late = |_| CliError::Unreachable { url: base.as_str().to_owned(), why: why() };
    let http = HttpClient::new();
    let answered = tokio::time::timeout(PATIENCE, http.send(base, Call::get("/healthz")));
    answered.await.map_err(late)?.map(drop)
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
