//! The routes of a connected app: sign-in and what belongs to it, forwarded to the authority.
//!
//! The authority judges these requests as if they had come to itself: it is shown the user's credential, what proves
//! where the request came from, and this app's own credential as a client; nothing else. What it answers is relayed,
//! cookies included, so that they are set on the app's own origin. One answer is not: that this app is not who it says
//! it is. That is no word about the user, and clients would take its 401 for a logout.

mod headers;
mod sign_in;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use http_body_util::Full;
use misario_core::authn::{RequestFault, UnavailableFault};
use misario_core::changes::MonoTime;
use parking_lot::Mutex;
use serde::Deserialize;

use crate::connect::Target;
use crate::gate::Gate;
use crate::guard::Guard;
use crate::http_client::HttpClient;
use crate::problem::Problem;

pub use headers::visitor_cookie;
pub use sign_in::{AppSignIn, Replaced};

/// The largest body that is forwarded.
const MAX_BODY: usize = 64 * 1024;

/// How often a wrong client secret is logged: each request meets it, until somebody mends it.
const COMPLAINT: Duration = Duration::from_mins(1);

/// Forwards to one authority, for one app.
#[derive(Clone)]
pub(crate) struct Forwarder(Arc<Inner>);

struct Inner {
    target: Arc<Target>,
    guard: Guard,
    client: HttpClient,
    /// When a wrong client secret was logged last.
    complained: Mutex<Option<MonoTime>>,
    /// It was logged that nobody tells where requests come from.
    missed_peer: AtomicBool,
}

/// What of a problem body tells the authority's refusal of this app from its refusal of a user.
#[derive(Deserialize)]
struct Refused {
    code: String,
}

impl Forwarder {
    pub(crate) fn new(target: Arc<Target>, guard: Guard) -> Self {
        Self::by(HttpClient::new(), target, guard)
    }

    fn by(client: HttpClient, target: Arc<Target>, guard: Guard) -> Self {
        let (complained, missed_peer) = (Mutex::default(), AtomicBool::default());
        Self(Arc::new(Inner { target, guard, client, complained, missed_peer }))
    }

    pub(crate) fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/v1/login", get(forward).post(forward))
            .route("/v1/refresh", post(forward))
            .route("/v1/reauth", post(forward))
            .route("/v1/logout", post(forward))
            .route("/v1/logout-all", post(forward))
            .route("/v1/me", get(forward))
            .route("/v1/sessions", get(forward))
            .route("/v1/sessions/{sid}", delete(forward))
            .route("/v1/csrf", get(forward))
            // The page's style sheet, whose name changes with its content. Nothing else below `/assets` is taken.
            .route("/assets/style.{version}", get(forward))
            .with_state(self.clone())
    }

    async fn forward(&self, request: Request) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", self.0.guard.entropy());
        let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(too_large)?;
        let request = self.request(&parts, body)?;
        // A sign-out everywhere returns when the lease of whoever is cut off has run out.
        let lease = self.0.guard.memory().read().replica().config().ttl;
        let answered = self.0.client.call(request, lease).await;
        self.relay(answered.map_err(|_| self.problem(&UnavailableFault::Authority.into()))?)
    }

    /// The authority's answer for whoever asked, unless it is about this app.
    fn relay(&self, answer: http::Response<Bytes>) -> Result<Response, Problem> {
        let (parts, body) = answer.into_parts();
        if is_of_this_app(parts.status, &body) {
            self.complain();
            return Err(self.problem(&UnavailableFault::Authority.into()));
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = parts.status;
        *response.headers_mut() = headers::back(&parts.headers);
        Ok(response)
    }

    fn request(&self, parts: &Parts, body: Bytes) -> Result<http::Request<Full<Bytes>>, Problem> {
        let Inner { target, guard, .. } = &*self.0;
        let app = guard.app().and_then(|app| guard.memory().read().apps().get(app).cloned());
        let app = app.ok_or_else(|| self.problem(&RequestFault::AppUnknown.into()))?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let cookies = Gate::of(parts).and_then(|gate| gate.cookies());
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = target.http(path).ok_or_else(|| self.problem(&RequestFault::AppUnknown.into()))?;
        *request.headers_mut() = headers::on(&parts.headers, cookies, &app);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        if peer.is_none() {
            self.miss_peer();
        }
        headers::introduce(request.headers_mut(), target.basic(), &app.id, peer);
        Ok(request)
    }

    /// Whether it was logged; it stays so for as long as the process serves like that.
    fn miss_peer(&self) -> bool {
        let is_first = !self.0.missed_peer.swap(true, Ordering::Relaxed);
        if is_first {
            tracing::warn!(
                "requests come without ConnectInfo: sign-ins are not limited by network address; serve the router with \
                 into_make_service_with_connect_info::<SocketAddr>()"
            );
        }
        is_first
    }

    /// Whether it was logged; once in a while is enough.
    fn complain(&self) -> bool {
        let now = self.0.guard.clock().mono();
        let mut complained = self.0.complained.lock();
        if complained.is_some_and(|last| now.since(last) < COMPLAINT) {
            return false;
        }
        *complained = Some(now);
        drop(complained);
        tracing::error!(
            "the authority refuses this app's client id and secret: nobody can sign in until they are mended"
        );
        true
    }

    fn problem(&self, rejection: &misario_core::authn::Rejection) -> Problem {
        Problem::rejected(rejection, self.0.guard.entropy())
    }
}

/// Whether the authority refuses the client that forwards, and not the user.
fn is_of_this_app(status: StatusCode, body: &[u8]) -> bool {
    status == StatusCode::UNAUTHORIZED
        && serde_json::from_slice(body).is_ok_and(|refused: Refused| refused.code == "invalid_client")
}

async fn forward(State(forwarder): State<Forwarder>, request: Request) -> Response {
    forwarder.forward(request).await.unwrap_or_else(axum::response::IntoResponse::into_response)
}
