//! Sending a request and reading its answer.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::{Base, Call, Reply};
use crate::failure::CliError;

/// The largest answer that is read.
const LIMIT: usize = 4 * 1024 * 1024;
/// How long an answer may take; a revoke waits for dead replicas' leases, which last up to a minute.
const PATIENCE: Duration = Duration::from_secs(75);

/// A kept connection is used again within this time only: a server closes idle ones, and a request that is on its way at
/// that moment is lost.
const IDLE: Duration = Duration::from_secs(2);

/// A client with its own pool of connections. Cloning shares the pool.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    inner: Client<HttpConnector, Full<Bytes>>,
}

impl HttpClient {
    /// A client without connections.
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        #[expect(clippy::disallowed_methods, reason = "the one place where an HTTP client is made")]
        let builder = Client::builder(TokioExecutor::new());
        Self { inner: { builder }.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build(connector) }
    }

    /// The answer to `call` at `base`.
    pub(crate) async fn send(&self, base: &Base, call: Call) -> Result<Reply, CliError> {
        let unreachable = |why: String| CliError::Unreachable { url: base.as_str().to_owned(), why };
        let uri = format!("{}{}", base.as_str(), call.path);
        let mut request = Request::builder()
            .method(call.method)
            .uri(uri)
            .body(Full::new(call.body))
            .map_err(|error| unreachable(error.to_string()))?;
        *request.headers_mut() = call.headers;
        let answered = tokio::time::timeout(PATIENCE, async {
            let (head, body) = self.inner.request(request).await.map_err(|error| root(&error))?.into_parts();
            let body = Limited::new(body, LIMIT).collect().await.map_err(|error| root(&*error))?.to_bytes();
            Ok::<_, String>(Reply { status: head.status, headers: head.headers, body })
        });
        match answered.await {
            Ok(answered) => answered.map_err(unreachable),
            Err(_) => Err(unreachable(format!("nothing came within {} s", PATIENCE.as_secs()))),
        }
    }
}

/// The innermost error: "client error (Connect)" says nothing, "connection refused" does.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
