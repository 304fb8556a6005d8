//! The one HTTP client: to the authority, bounded in time and size.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// How long a call may take, from connecting to the last octet.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);

/// The largest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// Connections that are kept open while nobody needs them.
const IDLE: usize = 16;

/// Calls one authority. Follows no redirects: what it is told is relayed, not obeyed.
#[derive(Clone)]
pub(crate) struct HttpClient(Client<HttpConnector, Full<Bytes>>);

/// The call failed. Whether it was carried out cannot be told.
#[derive(Debug)]
pub(crate) struct CallFailed;

impl HttpClient {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        #[expect(clippy::disallowed_methods, reason = "the one place where an HTTP client is made")]
        let mut builder = Client::builder(TokioExecutor::new());
        // A request that may have arrived must not be sent again by the client: a sign-in or a refresh would run twice.
        builder.retry_canceled_requests(false).pool_max_idle_per_host(IDLE);
        Self(builder.build(connector))
    }

    pub(crate) async fn call(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, CallFailed> {
        let calling = async {
            let (parts, body) = self.0.request(request).await.map_err(|error| failed(&error))?.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| failed(&*error))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(TIMEOUT, calling).await.map_err(|error| failed(&error))?
    }
}

fn failed(error: &dyn std::error::Error) -> CallFailed {
    tracing::warn!(error = %error, cause = error.source().map(tracing::field::display), "the authority does not answer");
    CallFailed
}
