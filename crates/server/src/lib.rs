//! The authority over HTTP: sign-in, refresh, sign-out, administration, and the feed that verifiers follow, as a
//! library.
//!
//! It reads no file, no environment and no command line, and installs no signal handler; a host (`misario-cli`, or an
//! app that embeds it) hands it settings, stores and keys. What a credential is worth is decided in `misario-core`.
//!
//! ```no_run
//! # async fn run(parts: misario_server::Parts) -> Result<(), Box<dyn std::error::Error>> {
//! let server = misario_server::Server::start(parts).await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8420").await?;
//! misario_server::serve(listener, server.router(), std::future::pending()).await?;
//! # Ok(()) }
//! ```
//!
//! | module | what is there |
//! |---|---|
//! | [`instance`] | what the authority does, one file per thing |
//! | [`http`] | the route table, policies, handlers, the mapping of errors |
//! | `pages` | the pages that people see |
//! | `passwords`, `throttle` | hashing on a pool of its own; how often a sign-in may be tried |

mod config;
mod device;
mod error;
pub mod http;
pub mod instance;
mod pages;
mod passwords;
mod throttle;

use std::sync::Arc;

pub use config::{AppSetting, Parts, Platform, ServerConfig, SettingSource, Stores};
pub use error::{Error, GrantFault, InputFault, InternalFault, SignInFault};
pub use http::problem::CODES as PUBLIC_CODES;
pub use http::{FeedEnded, ServeError, serve};
pub use instance::{Instance, StartError};

/// A running authority and its HTTP API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Server {
    instance: Arc<Instance>,
}

impl Server {
    /// Starts the authority. When it returns, requests can be answered.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        Self::start_on(parts, Platform::default()).await
    }

    /// The same, with time and randomness from elsewhere than the operating system.
    pub async fn start_on(parts: Parts, platform: Platform) -> Result<Self, StartError> {
        Ok(Self { instance: Instance::start(parts, platform).await? })
    }

    /// The whole HTTP API.
    pub fn router(&self) -> axum::Router {
        http::router(&self.instance)
    }

    /// The part of the API that an app mounts on its own origin, to be merged into its router.
    pub fn app_routes(&self) -> axum::Router {
        http::app_router(&self.instance)
    }

    /// The guard that answers from this process's memory, for the routes of an app in the same process. It keeps the
    /// authority running: whoever routes by it may drop the server.
    pub fn guard(&self) -> misario_tower::Guard {
        self.instance.guard().keeping(Arc::clone(&self.instance) as _)
    }

    /// Signs in a user whom an app in this process has authenticated: what `POST /v1/sessions` does for a client with
    /// the right `issue`, for the same body, with the same answer.
    ///
    /// # Security
    /// Nobody is asked for a credential: whoever calls this decides who is signed in.
    pub async fn sign_in_by_app(&self, body: &[u8]) -> axum::response::Response {
        http::login::by_own_app(&self.instance, body).await
    }

    /// The authority itself: the verbs of the admin API, without HTTP.
    pub const fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// Writes down what is only in memory, and lets go of everybody who follows. Checks that still come are answered
    /// from the store, one by one; what changes anything is refused with 503.
    pub async fn shutdown(&self) {
        self.instance.stop().await;
    }
}
