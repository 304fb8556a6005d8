//! The handle an app holds.

use axum::Router;
use misario_core::authn::Requirement;
#[cfg(feature = "connect")]
use misario_tower::Connection;
use misario_tower::{AuthLayer, Guard, RequireLayer};

#[cfg(feature = "embedded")]
use crate::embedded::Hosted;
use crate::login::AppLogin;

/// misario in an app. Cheap to clone.
///
/// What is made from it (guards, layers, routes) keeps it going, so the handle itself may be dropped; only
/// [`Misario::shutdown`] ends what is still in use.
#[derive(Debug, Clone)]
pub struct Misario {
    guard: Guard,
    routes: Router,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    #[cfg(feature = "embedded")]
    Embedded(Hosted),
    #[cfg(feature = "connect")]
    Connected(std::sync::Arc<Connection>),
}

impl Misario {
    #[cfg(feature = "embedded")]
    pub(crate) fn of_server(hosted: Hosted) -> Self {
        let guard = hosted.server.guard();
        let guard = match hosted.apps.as_slice() {
            [only] => guard.for_app(only.clone()),
            _ => guard,
        };
        Self { guard, routes: hosted.server.app_routes(), kind: Kind::Embedded(hosted) }
    }

    #[cfg(feature = "connect")]
    pub(crate) fn of_connection(connection: Connection) -> Self {
        let (guard, routes) = (connection.guard(), connection.routes());
        Self { guard, routes, kind: Kind::Connected(std::sync::Arc::new(connection)) }
    }

    /// The authority inside this process, on one SQLite file.
    #[cfg(feature = "embedded")]
    pub fn embedded(database: impl Into<std::path::PathBuf>) -> crate::Embedded {
        crate::Embedded::new(database.into())
    }

    /// A verifier that follows the authority at `url`.
    #[cfg(feature = "connect")]
    pub fn connect(url: &str) -> crate::Connect {
        crate::Connect::new(url)
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
    ///
    /// # Security
    /// Whoever guesses passwords is slowed down by account and by network address. The latter needs to know the
    /// address: [`Misario::serve`] tells it, with `axum::serve` it takes
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
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
            Kind::Embedded(hosted) => Some(&hosted.server),
            #[cfg(feature = "connect")]
            Kind::Connected(_) => None,
        }
    }

    /// A login for somebody whom the app has authenticated itself: with a link in a mail, at another provider, by a
    /// header of a proxy. `subject` is who they are: stable, and unique in this issuer.
    ///
    /// In a connected app, its client needs the right `issue`.
    pub fn login(&self, subject: &str) -> AppLogin<'_> {
        AppLogin::new(self, subject)
    }

    /// Stops answering from memory. A connected app says that it leaves, and refuses everything after that; an authority
    /// in this process writes down what is only in memory, and answers what still comes from its store.
    pub async fn shutdown(&self) {
        match &self.kind {
            #[cfg(feature = "embedded")]
            Kind::Embedded(hosted) => hosted.server.shutdown().await,
            #[cfg(feature = "connect")]
            Kind::Connected(connection) => connection.shutdown().await,
        }
    }
}
