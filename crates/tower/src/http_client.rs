//! The one HTTP client: to the authority, bounded in time and size.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// A call, from connecting to the last octet, beside what its caller knows it to wait for.
    pub(crate) call: Duration,
    /// A connection that nobody needs is kept open.
    pub(crate) idle: Duration,
}

impl Limits {
    /// Idle for less than the authority keeps a connection without a request, so that none is used in the moment of its
    /// end.
    const USUAL: Self =
        Self { call: Duration::from_secs(10), idle: crate::KEEP_ALIVE.saturating_sub(Duration::from_secs(1)) };
}

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);

/// The largest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// Connections that are kept open while nobody needs them.
const IDLE: usize = 16;

/// Calls one authority. Follows no redirects: what it is told is relayed, not obeyed.
#[derive(Clone)]
pub(crate) struct HttpClient {
    client: Client<HttpConnector, Full<Bytes>>,
    limits: Limits,
}

/// The call failed. Whether it was carried out cannot be told.
#[derive(Debug)]
pub(crate) struct CallFailed;

impl HttpClient {
    pub(crate) fn new() -> Self {
        Self::within(Limits::USUAL)
    }

    pub(crate) fn within(limits: Limits) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        #[expect(clippy::disallowed_methods, reason = "the one place where an HTTP client is made")]
        let mut builder = Client::builder(TokioExecutor::new());
        // The client sends again only what it has not begun to write, because the connection it took from the pool was
        // closed meanwhile: nothing runs twice by that.
        builder.pool_max_idle_per_host(IDLE).pool_idle_timeout(limits.idle).pool_timer(TokioTimer::new());
        Self { client: builder.build(connector), limits }
    }

    /// The answer. `waits` is how long the authority may wait for others before it gives one.
    pub(crate) async fn call(
        &self,
        request: Request<Full<Bytes>>,
        waits: Duration,
    ) -> Result<Response<Bytes>, CallFailed> {
        let calling = async {
            let (parts, body) = self.client.request(request).await.map_err(|error| failed(&error))?.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| failed(&*error))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(self.limits.call + waits, calling).await.map_err(|error| failed(&error))?
    }
}

fn failed(error: &dyn std::error::Error) -> CallFailed {
    tracing::warn!(error = %error, cause = error.source().map(tracing::field::display), "the authority does not answer");
    CallFailed
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Only the client's own timer closes this connection: the other end keeps it open.
    #[tokio::test]
    async fn a_connection_that_nobody_needs_is_closed_before_the_authority_does() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1_024];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            stream.read(&mut head).await.unwrap()
        });
        let client = HttpClient::within(Limits { idle: Duration::from_millis(50), ..Limits::USUAL });
        let request = Request::get(&url).body(Full::default()).unwrap();
        assert_eq!(client.call(request, Duration::ZERO).await.unwrap().body(), "ok");
        let left = tokio::time::timeout(Duration::from_secs(10), served).await.unwrap().unwrap();
        assert_eq!(left, 0, "the end of the connection, and no second request");
    }
}
