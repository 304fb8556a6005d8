//! The layers: hygiene of headers around every handler, and the check in front of a route.
//!
//! Around whatever a layer wraps:
//!
//! 1. The credential cookies are taken out of the request: a handler, or an upstream that the request is passed on to,
//!    never sees a refresh token.
//! 2. Cookies that the check renewed are added to the response, unless the handler has set them itself.
//! 3. A response that depends on a credential is kept out of shared caches, whatever the handler said.

mod require;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, VARY};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::authority::BoxFuture;
use crate::gate::Gate;
use crate::guard::Guard;

pub use require::{RequireLayer, RequireService};

/// Puts a guard in front of a service: extractors inside check by it, unless a layer of another guard is further in.
/// Made by [`Guard::layer`].
#[derive(Debug, Clone)]
pub struct AuthLayer {
    guard: Guard,
}

impl AuthLayer {
    pub(crate) const fn new(guard: Guard) -> Self {
        Self { guard }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService { guard: self.guard.clone(), inner }
    }
}

/// The service that [`AuthLayer`] makes.
#[derive(Debug, Clone)]
pub struct AuthService<S> {
    guard: Guard,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let gate = Gate::open(&self.guard, &mut request);
        let answering = self.inner.call(request);
        Box::pin(async move { answering.await.map(|response| leave(gate.as_ref(), response)) })
    }
}

/// Closes the gate that this layer opened, if it is the outermost.
fn leave<R>(gate: Option<&Arc<Gate>>, mut response: Response<R>) -> Response<R> {
    if let Some(gate) = gate {
        gate.close(response.headers_mut());
    }
    response
}

/// Keeps a response out of shared caches, and apart from the responses that other credentials get.
pub fn keep_from_caches(headers: &mut HeaderMap) {
    // In place of whatever stood there: a `public` beside it would be a contradiction that caches resolve each their way.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.append(VARY, HeaderValue::from_static("Cookie, Authorization, Sec-Fetch-Site, Origin"));
}
