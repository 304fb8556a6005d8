//! A server in this process that listens nowhere: for commands when no server runs.

use std::net::{Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::data::run_file::Credential;
use crate::failure::CliError;
use crate::host::Opened;
use crate::http::{Call, Reply};

/// The server, with its store's lock.
pub(super) struct Direct {
    opened: Opened,
    router: axum::Router,
}

impl Direct {
    /// The opened server.
    pub(super) fn new(opened: Opened) -> Self {
        Self { router: opened.server.router(), opened }
    }

    /// The client of this run.
    pub(super) const fn credential(&self) -> &Credential {
        &self.opened.credential
    }

    /// The answer to `call`, by the same routes and policies as over a socket.
    pub(super) async fn send(&self, call: Call) -> Result<Reply, CliError> {
        let failed = |why: String| CliError::Unreachable { url: "the store".to_owned(), why };
        let mut request = Request::builder()
            .method(call.method)
            .uri(call.path)
            .body(Body::from(call.body))
            .map_err(|error| failed(error.to_string()))?;
        *request.headers_mut() = call.headers;
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
        let (head, body) = match self.router.clone().oneshot(request).await {
            Ok(response) => response.into_parts(),
            Err(never) => match never {},
        };
        let body = body.collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
        Ok(Reply { status: head.status, headers: head.headers, body })
    }

    /// Stops the server and gives the store back.
    pub(super) async fn close(self) {
        if let Err(error) = self.opened.close().await {
            tracing::warn!(%error, "the store was not closed as it should be");
        }
    }
}
