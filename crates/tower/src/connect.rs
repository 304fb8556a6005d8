//! An app in a process of its own, connected to an authority elsewhere.

mod error;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use misario_core::authn::{IssuerFacts, Memory};
use misario_core::changes::{LeaseConfig, Replica};
use misario_core::id::{AppId, ClientId};
use misario_core::secret::{ReplicaKeys, SecretText};
use misario_jose::Entropy;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::clock::{Clock, SystemClock};
use crate::entropy::OsEntropy;
use crate::feed::ask::FeedAuthority;
use crate::feed::client::{Client, Status};
use crate::feed::driver::Driver;
use crate::forward::{AppSignIn, Forwarder};
use crate::guard::{Guard, GuardParts};

pub use error::ConnectError;
pub(crate) use target::Target;

/// The lease to ask for until the authority says its own.
const FIRST_TTL: Duration = Duration::from_secs(2);

/// How long a shutdown waits for the word of leave to go out.
const LEAVING: Duration = Duration::from_secs(2);

/// What a connection needs.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Where the authority is: `http://host:port`.
    pub url: String,
    /// This app's client there, with the right `feed`.
    pub client_id: String,
    /// Its secret.
    pub secret: SecretText,
    /// The app that is protected.
    pub app: AppId,
    /// How long to wait for the first lease.
    pub deadline: Duration,
}

impl ConnectOptions {
    /// Options that wait ten seconds for the first lease.
    pub fn new(url: impl Into<String>, client_id: impl Into<String>, secret: SecretText, app: AppId) -> Self {
        Self { url: url.into(), client_id: client_id.into(), secret, app, deadline: Duration::from_secs(10) }
    }
}

/// A live connection to an authority: checks are answered here, from memory, under its lease.
///
/// It lasts until [`Connection::shutdown`], after which its guards refuse everything with 503, or until the last of what
/// was made from it is gone: this handle, its guards, layers and routes, and the routers that hold them.
#[must_use = "a connection that nothing is made from ends as soon as it is dropped"]
pub struct Connection {
    guard: Guard,
    forwarder: Forwarder,
    status: watch::Receiver<Status>,
    line: Arc<Line>,
}

/// What the handle and everything made from it keep alive. It holds none of them; see [`Guard::keeping`].
struct Line {
    running: Mutex<Option<Running>>,
}

/// The task that follows the authority. It stops when `stop` is used or dropped.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Connects, and waits until checks can be answered from memory.
    pub async fn start(options: ConnectOptions) -> Result<Self, ConnectError> {
        let client = ClientId::new(&options.client_id).map_err(|error| ConnectError::ClientInvalid { error })?;
        let target = Arc::new(Target::new(&options.url, &client, &options.secret)?);
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (Arc::new(SystemClock), Arc::new(OsEntropy));
        let memory = Arc::new(RwLock::new(blank(&*entropy)));
        let (status, watched) = watch::channel(Status::default());
        let (authority, questions) = FeedAuthority::new(watched.clone(), Arc::clone(&clock));
        let driver = Driver::new(Arc::clone(&memory), Arc::clone(&clock), Arc::clone(&entropy));
        let guard = Guard::new(GuardParts {
            memory,
            authority: Arc::new(authority),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        });
        let app = options.app.clone();
        let (stop, stopped) = oneshot::channel();
        let client = Client {
            target: Arc::clone(&target),
            app: options.app,
            driver,
            clock,
            entropy,
            questions,
            status,
            stop: stopped,
        };
        let task = tokio::spawn(client.run());
        let line = Arc::new(Line { running: Mutex::new(Some(Running { stop, task })) });
        let guard = guard.for_app(app).keeping(Arc::clone(&line) as _);
        let forwarder = Forwarder::new(target, guard.clone());
        let connection = Self { guard, forwarder, status: watched, line };
        connection.leased(options.deadline).await?;
        Ok(connection)
    }

    /// The guard that answers from this process's memory, for the app only.
    pub fn guard(&self) -> Guard {
        self.guard.clone()
    }

    /// The routes that sign in, refresh and sign out, for the app's own origin. They are forwarded to the authority,
    /// and set its cookies here.
    ///
    /// # Security
    /// The authority slows down whoever guesses passwords from one network address, and learns that address from here:
    /// serve the router with `into_make_service_with_connect_info::<SocketAddr>()`, or by `misario_server::serve`.
    /// Without it the limit per account is the only one, and a warning says so.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.forwarder.routes()
    }

    /// Signs in a user whom the app has authenticated itself; the answer has body and cookies of the new login. The
    /// client needs the right `issue`; without it, and without the authority, the answer is 503.
    pub async fn sign_in(&self, sign_in: &AppSignIn<'_>) -> Response {
        self.forwarder.sign_in(sign_in).await
    }

    /// Stops answering, and says so to the authority, so that nobody there waits for this process.
    pub async fn shutdown(&self) {
        // Before anything is waited for: whatever becomes of the task, nothing is answered from memory any more.
        self.guard.memory().write().replica_mut().leave();
        let running = self.line.running.lock().take();
        if let Some(Running { stop, mut task }) = running {
            let _ = stop.send(());
            if tokio::time::timeout(LEAVING, &mut task).await.is_err() {
                // It hangs in a connection that takes nothing. The authority waits for the rest of the lease instead.
                task.abort();
            }
        }
    }

    /// Waits for the first lease. A refusal of the client is not waited out: it will not go away by itself.
    async fn leased(&self, deadline: Duration) -> Result<(), ConnectError> {
        let mut status = self.status.clone();
        let decided = status.wait_for(|status| status.was_leased || matches!(status.refused, Some(401 | 403)));
        let decided = tokio::time::timeout(deadline, decided).await.map(|decided| decided.map(|status| *status));
        match decided {
            Ok(Ok(Status { was_leased: true, .. })) => self.app_is_known(),
            Ok(Ok(Status { refused: Some(status), .. })) => Err(ConnectError::Refused { status }),
            Ok(_) | Err(_) => {
                let (seconds, last) = (deadline.as_secs(), self.status.borrow().last);
                if self.guard.memory().read().apps().is_empty() {
                    Err(ConnectError::Unreachable { seconds, last })
                } else {
                    Err(ConnectError::NoLease { seconds, last })
                }
            }
        }
    }

    fn app_is_known(&self) -> Result<(), ConnectError> {
        match self.guard.app() {
            Some(app) if !self.guard.memory().read().apps().contains_key(app) => {
                Err(ConnectError::AppUnknown { app: app.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// A memory that knows nothing, answers for nobody, and waits for its first snapshot.
pub(crate) fn blank(entropy: &dyn Entropy) -> Memory {
    let replica = Replica::new(LeaseConfig::new(FIRST_TTL), entropy);
    let issuer = IssuerFacts { issuer: String::new(), leeway: 0 };
    Memory::new(replica, issuer, ReplicaKeys::default(), entropy)
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("status", &*self.status.borrow()).finish_non_exhaustive()
    }
}
