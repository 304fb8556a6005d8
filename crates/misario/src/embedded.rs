//! The authority inside the app's own process.

mod issuer;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use misario_core::app::{App, InvalidApp, Mode, Origin, Transport};
use misario_core::changes::Epoch;
use misario_core::id::{AppId, InvalidName};
use misario_core::store::StoreError;
use misario_server::{
    AppSetting, Error, InternalFault, Parts, Server, ServerConfig, SettingSource, StartError, Stores,
};
use misario_store_sqlite::{Options, SqliteStore};
use misario_tower::{Clock as _, OsEntropy, SystemClock};

use crate::Misario;
use crate::master::{MasterKeyError, MasterKeys};

/// Where apps are served from that name no origin.
const LOCAL: &str = "http://localhost:3000";

/// An authority that runs in this process.
#[derive(Debug, Clone)]
pub(crate) struct Hosted {
    pub(crate) server: Server,
    /// The apps that this code named.
    pub(crate) apps: Vec<AppId>,
    /// Whether one of their origins is https.
    pub(crate) has_https: bool,
}

/// An authority to be started. What is said here about an app is its *initial* value: the store is the truth, and an
/// administrator's later change is not undone by a restart.
#[derive(Debug)]
pub struct Embedded {
    database: PathBuf,
    issuer: Option<Origin>,
    earlier_issuer: Option<Origin>,
    apps: Vec<(String, Mode)>,
    origins: Vec<Origin>,
    lease: Duration,
    password_threads: usize,
}

/// The authority cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The key file cannot be used.
    #[error(transparent)]
    Keys(#[from] MasterKeyError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name has the wrong form.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// An app's settings can never work together.
    #[error(transparent)]
    App(#[from] InvalidApp),
    /// The database belongs to another issuer.
    #[error(
        "the issuer is {given}, and the database was made for {stored}: all its tokens would be refused. Keep \
         `.issuer(\"{stored}\")` whatever the origins are, or say `.issuer_was(\"{stored}\")` once to move"
    )]
    IssuerChanged {
        /// Whom the database belongs to.
        stored: String,
        /// Who is to serve it.
        given: Origin,
    },
    /// The authority does not start on what is stored.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl EmbeddedError {
    /// Code and meaning of each error that is not passed on from below, for the operator's documentation.
    pub const CODES: &'static [(&'static str, &'static str)] =
        &[("issuer_changed", "The database belongs to another issuer than the one that is to serve it.")];

    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Keys(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Name(error) => error.code(),
            Self::App(error) => error.code(),
            Self::IssuerChanged { .. } => "issuer_changed",
            Self::Start(error) => error.code(),
        }
    }
}

impl Embedded {
    pub(crate) fn new(database: PathBuf) -> Self {
        Self {
            database,
            issuer: None,
            earlier_issuer: None,
            apps: Vec::new(),
            origins: Vec::new(),
            lease: Duration::from_secs(2),
            password_threads: 2,
        }
    }

    /// An app and the mode to create it with, if it is absent.
    ///
    /// The database is the truth: where an administrator has switched the mode since, this value changes nothing. But
    /// an edit of it counts: another mode than this code said at the last start is a switch at this one. Logins go on
    /// through it.
    pub fn app(mut self, name: &str, mode: Mode) -> Self {
        self.apps.push((name.to_owned(), mode));
        self
    }

    /// An origin that the apps are served from: `https://app.example.com`. Without one, `http://localhost:3000`. The
    /// first one is the issuer of tokens, too, unless [`Embedded::issuer`] says another.
    ///
    /// # Security
    /// Cookies are protected (`Secure`, `__Host-`) where an origin is https. Without one they are not, which is for
    /// development on loopback: [`Misario::serve`] listens nowhere else then.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origins.push(origin);
        self
    }

    /// The issuer: the claim `iss` of all tokens, for ever. The database belongs to it from the first start on, and is
    /// refused to another one (`issuer_changed`), because every token that is out would be refused.
    pub fn issuer(mut self, issuer: Origin) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// The issuer that the database belongs to so far: it is handed over to the one of this start. Access tokens made
    /// for the earlier one are refused from here on; sessions and refresh tokens go on.
    pub fn issuer_was(mut self, earlier: Origin) -> Self {
        self.earlier_issuer = Some(earlier);
        self
    }

    /// Starts the authority, and returns when checks are answered.
    pub async fn start(self) -> Result<Misario, EmbeddedError> {
        let origins = if self.origins.is_empty() { LOCAL.parse().into_iter().collect() } else { self.origins };
        let has_https = origins.iter().any(Origin::is_https);
        if !has_https {
            tracing::warn!("no https origin is given: cookies are set without protection, for use on loopback only");
        }
        let mut apps = Vec::new();
        for (name, mode) in &self.apps {
            let transports = [Transport::Cookie, Transport::Bearer, Transport::Split];
            let app = App::new(AppId::new(name)?, *mode, &transports, origins.clone()).validated()?;
            apps.push(AppSetting { app, source: SettingSource::Code });
        }
        let ids = apps.iter().map(|setting| setting.app.id.clone()).collect();
        let path = key_file(&self.database);
        // A new key file beside an old database would open nothing of it, and stand where the right one belongs.
        if !path.exists() && std::fs::metadata(&self.database).is_ok_and(|database| database.len() > 0) {
            return Err(MasterKeyError::Missing { path }.into());
        }
        let keys = MasterKeys::load_or_create(&path, &OsEntropy)?;
        let store = Arc::new(SqliteStore::open(
            &self.database,
            Options { epoch: Epoch::beginning(SystemClock.wall()), ..Options::default() },
        )?);
        let issuer = self.issuer.or_else(|| origins.first().cloned());
        if let Some(issuer) = &issuer {
            issuer::claim(&*store, issuer, self.earlier_issuer.as_ref()).await?;
        }
        let config = ServerConfig {
            issuer: issuer.map(|issuer| issuer.to_string()).unwrap_or_default(),
            leeway: 5,
            lease: self.lease,
            apps,
            policies: BTreeMap::new(),
            demo: false,
            bootstrap_secret: None,
            password_threads: self.password_threads,
        };
        let stores = Stores { records: store.clone(), live: store };
        let server = Server::start(Parts { config, stores, keys }).await.map_err(|error| of_start(error, path))?;
        Ok(Misario::of_server(Hosted { server, apps: ids, has_https }))
    }
}

/// The signing keys are the first that is opened of what the database keeps sealed.
fn of_start(error: StartError, key_file: PathBuf) -> EmbeddedError {
    match error {
        StartError::Refused(Error::Internal(InternalFault::Record { what: "signing key" })) => {
            MasterKeyError::OfAnother { path: key_file }.into()
        }
        error => error.into(),
    }
}

/// Beside the database, with its name: `app.db` has `app.key`.
fn key_file(database: &Path) -> PathBuf {
    database.with_extension("key")
}

/// Ends when the process is told to stop.
pub(crate) async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
