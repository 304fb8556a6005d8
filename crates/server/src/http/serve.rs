//! Serving: connections with limits, until told to stop; what is under way is finished.

mod in_use;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt as _, service_fn};

use in_use::Use;

/// The largest head of a request, in octets.
const MAX_HEAD: u32 = 32 * 1024;
/// The longest time until a response begins, for handlers that know of no better limit.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(5);
/// How long requests that are under way may take once the server was told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// A pause after a failed accept (no file descriptors left): the loop survives and does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// HTTP/2 asks whether anybody is still there after so long without a frame, and waits half as long for the answer.
const ASK_AFTER: Duration = Duration::from_secs(20);

/// What clients may take of the server.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Time for the head of a request, and from the start of a connection to its first request.
    head: Duration,
    /// Time without any request, after which a connection is closed, whatever else is said on it.
    idle: Duration,
    /// Connections at once; more wait to be accepted.
    connections: usize,
}

const LIMITS: Limits = Limits { head: misario_tower::KEEP_ALIVE, idle: Duration::from_mins(1), connections: 10_000 };

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
    serve_within(LIMITS, listener, router, stop).await
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let router = super::respond::in_time(router, REQUEST_TIMEOUT);
    listener.local_addr().map_err(|source| ServeError::Listener { source })?;
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(limits.connections));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut stop => break,
        };
        let (stream, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small responses leave at once: a check waits for nobody's acknowledgement.
        let _ = stream.set_nodelay(true);
        let used = Arc::new(Use::default());
        let service = TowerToHyperService::new(of_connection(router.clone(), peer, Arc::clone(&used)));
        let builder = builder(limits);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _slot = slot;
            tokio::select! {
                // What a client does to its connection is its own affair.
                _ = connection => {}
                // hyper waits without limit until it knows the version of HTTP and, for HTTP/2, until the handshake is
                // done; and for who answers its pings, or does not read its answers, later.
                () = used.until_idle(limits.head, limits.idle) => {}
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests took longer than the time to drain");
    }
    Ok(())
}

/// The next connection, once there is room for one: the others wait in the system's queue, not in this process.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, slot))
}

fn builder(limits: Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let head = usize::try_from(MAX_HEAD).unwrap_or(usize::MAX);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD)
        .max_concurrent_streams(250)
        .keep_alive_interval(ASK_AFTER)
        .keep_alive_timeout(ASK_AFTER / 2);
    builder
}

/// The router for one connection: it tells handlers the peer, and `used` of each request.
fn of_connection<B>(
    router: Router,
    peer: SocketAddr,
    used: Arc<Use>,
) -> impl Service<Request<B>, Response = Response, Error = Infallible, Future: Send> + Clone + Send
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    service_fn(move |request: Request<B>| {
        let under_way = used.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = router.clone().oneshot(request);
        async move { Ok(response.await?.map(|body| in_use::counted(body, under_way))) }
    })
}
