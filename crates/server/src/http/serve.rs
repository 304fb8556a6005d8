//! Serving: connections with limits, until told to stop; what is under way is finished.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::middleware::from_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

/// The largest head of a request, in octets.
const MAX_HEAD: usize = 32 * 1024;
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long requests that are under way may take once the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// A pause after a failed accept (no file descriptors left): the loop survives and does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serving ended otherwise than asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The listener is gone.
    #[error("the listener failed")]
    Listener {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Serves the router until `stop` ends, then finishes what is under way for up to ten seconds.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let router = router.layer(from_fn(super::respond::in_time));
    listener.local_addr().map_err(|source| ServeError::Listener { source })?;
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small responses leave at once: a check waits for nobody's acknowledgement.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(with_peer(router.clone(), peer));
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
        builder.http2().timer(TokioTimer::new()).max_header_list_size(32 * 1024).max_concurrent_streams(250);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // What a client does to its connection is its own affair.
            let _ = connection.await;
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests took longer than the time to drain");
    }
    Ok(())
}

fn with_peer(router: Router, peer: SocketAddr) -> Router {
    router.layer(axum::Extension(ConnectInfo(peer)))
}
