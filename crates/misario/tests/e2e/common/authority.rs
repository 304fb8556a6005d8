//! An authority in this process, on a SQLite file, served on a loopback port.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use misario::{Misario, Mode};
use misario_core::client::Right;
use misario_core::id::ClientId;
use misario_server::instance::NewClient;
use misario_server::{Instance, Server};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::eventually;
use super::site::Site;

/// How long a lease of an embedded authority lasts.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// An authority that is being served.
pub(crate) struct Authority {
    pub(crate) site: Site,
    server: Server,
    folder: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

/// The database in a test's folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("app.db")
}

/// The authority of all these tests, as an app embeds it: `web` in session mode, `api` with JWTs, `spa` with both.
pub(crate) async fn embedded(folder: &Path) -> Result<Misario, misario::EmbeddedError> {
    let apps = [("web", Mode::Session), ("api", Mode::Jwt), ("spa", Mode::Hybrid)];
    let embedded = Misario::embedded(database(folder)).origin("https://app.example.com".parse().unwrap());
    apps.into_iter().fold(embedded, |embedded, (name, mode)| embedded.app(name, mode)).start().await
}

impl Authority {
    /// An authority on the files in `folder`, with a client `ops`.
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::serve(embedded(folder).await.unwrap().server().unwrap().clone(), folder).await
    }

    pub(crate) async fn serve(server: Server, folder: &Path) -> Self {
        let folder = folder.to_owned();
        let secret = operator(server.instance()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Site::new(&format!("http://{}", listener.local_addr().unwrap()), &secret);
        let router = server.router();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            misario_server::serve(listener, router, async { drop(stopped.await) }).await.unwrap();
        });
        Self { site, server, folder, stop: Some(stop), served }
    }

    /// Stops as a host stops, and gives the files back.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.served.await.unwrap();
        self.server.shutdown().await;
        drop(self.server);
        // The last of its tasks that has the store lets it go within a heartbeat.
        let lock = std::fs::File::open(self.folder.join("app.db")).unwrap();
        eventually("the store is free", Duration::from_secs(5), async || lock.try_lock().is_ok()).await;
    }
}

/// The client that the tests administer with; another secret each time, so that restarts need no memory.
async fn operator(instance: &Arc<Instance>) -> String {
    let id = ClientId::new("ops").unwrap();
    if instance.list_clients().await.unwrap().iter().any(|client| client.id == id) {
        return instance.rotate_client(&id, false).await.unwrap().1.expose().to_owned();
    }
    let rights = [Right::Admin, Right::Issue, Right::Feed].into();
    let new = NewClient { id, app: None, rights, scopes: Vec::new() };
    instance.add_client(new).await.unwrap().1.expose().to_owned()
}
