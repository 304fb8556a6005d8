//! The check in front of a route.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use misario_core::authn::Requirement;
use misario_core::id::AppId;
use tower_layer::Layer;
use tower_service::Service;

use super::leave;
use crate::authority::BoxFuture;
use crate::gate::Gate;
use crate::guard::Guard;
use crate::problem::Problem;

/// Lets only those through who fulfil a requirement. Made by [`Guard::require`].
///
/// It needs no [`super::AuthLayer`] around it, and works with one; what its handler extracts is what it has checked,
/// whatever guard the layers around it have. It reads no bodies: a CSRF token in a form field is not seen here but by
/// [`crate::CsrfForm`], which this refuses to run before the request's headers prove where it comes from
/// (`Sec-Fetch-Site`, `Origin` or `X-CSRF-Token`).
#[derive(Debug, Clone)]
pub struct RequireLayer {
    guard: Guard,
    requirement: Arc<Requirement>,
}

impl RequireLayer {
    pub(crate) fn new(guard: Guard, requirement: Requirement) -> Self {
        Self { guard, requirement: Arc::new(requirement) }
    }

    fn and(self, more: impl FnOnce(Requirement) -> Requirement) -> Self {
        let requirement = Arc::unwrap_or_clone(self.requirement);
        Self { guard: self.guard, requirement: Arc::new(more(requirement)) }
    }

    /// And the user proved who they are at most `max_age` ago; the authority is asked.
    pub fn fresh(self, max_age: Duration) -> Self {
        self.and(|requirement| requirement.fresh(max_age))
    }

    /// And the authority is asked each time.
    pub fn authoritative(self) -> Self {
        self.and(Requirement::authoritative)
    }

    /// And a request with a cookie shows a CSRF token in `X-CSRF-Token`, whatever its other headers say.
    pub fn csrf_token(self) -> Self {
        self.and(Requirement::csrf_token)
    }

    /// Or this role.
    pub fn or_role(self, name: &str) -> Self {
        self.and(|requirement| requirement.or_role(name))
    }

    /// And this permission.
    pub fn and_permission(self, name: &str) -> Self {
        self.and(|requirement| requirement.and_permission(name))
    }

    /// And this scope.
    pub fn and_scope(self, name: &str) -> Self {
        self.and(|requirement| requirement.and_scope(name))
    }

    /// For logins of this app only.
    pub fn of_app(self, app: AppId) -> Self {
        self.and(|requirement| requirement.of_app(app))
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> RequireService<S> {
        RequireService { guard: self.guard.clone(), requirement: Arc::clone(&self.requirement), inner }
    }
}

/// The service that [`RequireLayer`] makes.
#[derive(Debug, Clone)]
pub struct RequireService<S> {
    guard: Guard,
    requirement: Arc<Requirement>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for RequireService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that was found ready is called; its clone takes its place and is asked again.
        let waiting = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, waiting);
        let (guard, requirement) = (self.guard.clone(), Arc::clone(&self.requirement));
        Box::pin(async move {
            let opened = Gate::open(&guard, &mut request);
            let (parts, body) = request.into_parts();
            let response = match admit(&guard, &requirement, &parts).await {
                Ok(()) => ready.call(Request::from_parts(parts, body)).await?,
                Err(problem) => problem.into_http(),
            };
            Ok(leave(opened.as_ref(), response))
        })
    }
}

async fn admit(guard: &Guard, requirement: &Requirement, parts: &http::request::Parts) -> Result<(), Problem> {
    let Some(gate) = Gate::of(parts) else { return Err(Problem::layer_missing(guard.entropy())) };
    let checked = gate.check(parts, requirement, None).await;
    checked.map(|_| ()).map_err(|rejection| Problem::rejected(&rejection, guard.entropy()))
}
