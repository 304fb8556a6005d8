//! The handle an app holds.

use axum::Router;
use misario_core::authn::Requirement;
use misario_tower::{AuthLayer, Guard, RequireLayer};

use misario_core::id::AppId;
#[cfg(feature = "connect")]
use misario_core::secret::SecretText;
#[cfg(feature = "connect")]
use misario_tower::{ConnectError, ConnectOptions, Connection};

/// misario in an app. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Misario {
    guard: Guard,
    routes: Router,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    #[cfg(feature = "embedded")]
    Embedded(misario_server::Server),
    #[cfg(feature = "connect")]
    Connected(std::sync::Arc<Connection>),
}

impl Misario {
    #[cfg(feature = "embedded")]
    pub(crate) fn of_server(server: misario_server::Server, app: Option<AppId>) -> Self {
        let guard = server.guard();
        let guard = app.map_or_else(|| guard.clone(), |app| guard.for_app(app));
        Self { guard, routes: server.app_routes(), kind: Kind::Embedded(server) }
    }

    /// The authority inside this process, on one SQLite file.
    #[cfg(feature = "embedded")]
    pub fn embedded(database: impl Into<std::path::PathBuf>) -> crate::Embedded {
        crate::Embedded::new(database.into())
    }

    /// A verifier that follows the authority at `url`.
    #[cfg(feature = "connect")]
    pub fn connect(url: &str) -> Connect {
        Connect {
            url: url.to_owned(),
            client: String::new(),
            secret: SecretText::new(String::new()),
            app: String::new(),
        }
    }

    /// The layer for a whole router: extractors in it know who is there, and credential cookies are hidden from
    /// handlers. It refuses nothing by itself.
    pub fn layer(&self) -> AuthLayer {
        self.guard.layer()
    }

    /// The layer for a route that asks something of its caller.
    pub fn require(&self, requirement: Requirement) -> RequireLayer {
        self.guard.require(requirement)
    }

    /// Sign-in, sign-out, refresh, and what else clients call: to be merged into the app's router, on its own origin.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.routes.clone().with_state(())
    }

    /// The guard itself, for checks outside of tower layers.
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The authority in this process, for administration from code; `None` where it is in another one.
    #[cfg(feature = "embedded")]
    pub const fn server(&self) -> Option<&misario_server::Server> {
        match &self.kind {
            Kind::Embedded(server) => Some(server),
            #[cfg(feature = "connect")]
            Kind::Connected(_) => None,
        }
    }

    /// Serves the app until the process is told to stop by Ctrl-C or SIGTERM, with limits on heads, connections and time.
    #[cfg(feature = "embedded")]
    pub async fn serve(&self, address: &str, app: Router) -> Result<(), misario_server::ServeError> {
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .map_err(|source| misario_server::ServeError::Listener { source })?;
        misario_server::serve(listener, app, crate::embedded::told_to_stop()).await?;
        self.shutdown().await;
        Ok(())
    }

    /// Stops answering, in order: a connected app says that it leaves, an authority writes down what is only in memory.
    pub async fn shutdown(&self) {
        match &self.kind {
            #[cfg(feature = "embedded")]
            Kind::Embedded(server) => server.shutdown().await,
            #[cfg(feature = "connect")]
            Kind::Connected(connection) => connection.shutdown().await,
        }
    }
}

/// A connection to be made.
#[cfg(feature = "connect")]
#[derive(Debug)]
pub struct Connect {
    url: String,
    client: String,
    secret: SecretText,
    app: String,
}

#[cfg(feature = "connect")]
impl Connect {
    /// As which client: its id and secret. It needs the right `feed`.
    pub fn client(mut self, id: &str, secret: &str) -> Self {
        id.clone_into(&mut self.client);
        self.secret = SecretText::new(secret.to_owned());
        self
    }

    /// For which app.
    pub fn app(mut self, app: &str) -> Self {
        app.clone_into(&mut self.app);
        self
    }

    /// Connects, and returns when checks are answered from memory.
    pub async fn start(self) -> Result<Misario, ConnectError> {
        let app = AppId::new(&self.app)?;
        let options = ConnectOptions::new(self.url, self.client, self.secret, app);
        let connection = std::sync::Arc::new(Connection::start(options).await?);
        Ok(Misario { guard: connection.guard(), routes: connection.routes(), kind: Kind::Connected(connection) })
    }
}
