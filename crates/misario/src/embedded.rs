//! The authority inside the app's own process.

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

/// An authority to be started. What is said here about an app is its *initial* value: the store is the truth, and an
/// administrator's later change is not undone by a restart.
#[derive(Debug)]
pub struct Embedded {
    database: PathBuf,
    issuer: String,
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
    /// The authority does not start on what is stored.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl EmbeddedError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Keys(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Name(error) => error.code(),
            Self::App(error) => error.code(),
            Self::Start(error) => error.code(),
        }
    }
}

impl Embedded {
    pub(crate) fn new(database: PathBuf) -> Self {
        Self {
            database,
            issuer: "http://localhost:3000".to_owned(),
            apps: Vec::new(),
            origins: Vec::new(),
            lease: Duration::from_secs(2),
            password_threads: 2,
        }
    }

    /// An app and the mode to create it with, if it is absent.
    pub fn app(mut self, name: &str, mode: Mode) -> Self {
        self.apps.push((name.to_owned(), mode));
        self
    }

    /// An origin that the apps are served from: `https://app.example.com`. Without one, `http://localhost:3000`.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.issuer = origin.to_string();
        self.origins.push(origin);
        self
    }

    /// Starts the authority, and returns when checks are answered.
    pub async fn start(self) -> Result<Misario, EmbeddedError> {
        let origins = match self.origins.as_slice() {
            [] => self.issuer.parse().into_iter().collect(),
            own => own.to_vec(),
        };
        let mut apps = Vec::new();
        for (name, mode) in &self.apps {
            let transports = [Transport::Cookie, Transport::Bearer, Transport::Split];
            let app = App::new(AppId::new(name)?, *mode, &transports, origins.clone()).validated()?;
            apps.push(AppSetting { app, source: SettingSource::Code });
        }
        let only = match apps.as_slice() {
            [one] => Some(one.app.id.clone()),
            _ => None,
        };
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
        let config = ServerConfig {
            issuer: self.issuer,
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
        Ok(Misario::of_server(server, only))
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode, header};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn whoever_signs_out_by_a_form_lands_on_a_page_of_the_app() {
        let folder = tempfile::tempdir().unwrap();
        let misario = Misario::embedded(folder.path().join("app.db")).app("web", Mode::Session).start().await.unwrap();
        let app: axum::Router = misario.routes().layer(misario.layer());
        let form = "application/x-www-form-urlencoded";
        let sign_out = Request::post("/v1/logout").header(header::CONTENT_TYPE, form).body(Body::from("app=web"));
        let answer = app.clone().oneshot(sign_out.unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let location = answer.headers()[header::LOCATION].to_str().unwrap().to_owned();
        let page = Request::get(location.as_str()).body(Body::empty()).unwrap();
        assert_eq!(app.oneshot(page).await.unwrap().status(), StatusCode::OK, "{location}");
        misario.shutdown().await;
    }
}
