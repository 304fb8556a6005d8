//! The check of a request, driven: memory first, the authority where memory cannot tell.
//!
//! The clocks are read before the memory is locked, so that the lease is judged by a time that is not later than the
//! view (PROTOCOL rule 18). The lock is never held while something is waited for: whoever holds it would stop every
//! change from being applied, and with it every revocation.

mod pass;
mod renew;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use http::HeaderMap;
use http::header::HeaderValue;
use http::request::Parts;
use misario_core::authn::{Memory, Permit, Rejection, Requirement};
use misario_core::id::AppId;
use misario_jose::Entropy;
use parking_lot::RwLock;

use crate::authority::{Authority, RenewError};
use crate::clock::Clock;
use crate::gate::Gate;
use crate::headers::HeaderView;
use crate::layer::{AuthLayer, RequireLayer};

pub use renew::Fresh;

use pass::{Answered, Pass};
use renew::{Need, Pacing};

/// Checks requests. Cheap to clone: all clones answer from one memory.
#[derive(Clone)]
pub struct Guard(Arc<Own>);

/// What is one guard's own. Behind one pointer, because each request has a clone of its guard.
struct Own {
    inner: Arc<Inner>,
    app: Option<AppId>,
    /// Held and never looked at.
    keeps: Option<Arc<dyn Any + Send + Sync>>,
}

struct Inner {
    parts: GuardParts,
    pacing: Pacing,
}

/// What a guard works with.
pub struct GuardParts {
    /// What it answers from.
    pub memory: Arc<RwLock<Memory>>,
    /// Whom it asks.
    pub authority: Arc<dyn Authority>,
    /// Its clocks.
    pub clock: Arc<dyn Clock>,
    /// Its randomness, for the reference ids of refusals.
    pub entropy: Arc<dyn Entropy>,
}

/// The request that is to be checked.
#[derive(Debug, Clone, Copy)]
pub struct CheckRequest<'r> {
    method: &'r str,
    headers: HeaderView<'r>,
    parameter: Option<&'r str>,
    form_token: Option<&'r str>,
    fresh: &'r [Fresh],
}

impl<'r> CheckRequest<'r> {
    /// The request with this method and these headers.
    pub const fn new(method: &'r str, headers: HeaderView<'r>) -> Self {
        Self { method, headers, parameter: None, form_token: None, fresh: &[] }
    }

    /// The request with these parts, with the cookies that a layer took out of them.
    pub fn of(parts: &'r Parts) -> Self {
        Self::new(parts.method.as_str(), view(&parts.headers, Gate::of(parts)))
    }

    /// With the `app` parameter of its query or body.
    pub const fn app_parameter(mut self, app: Option<&'r str>) -> Self {
        self.parameter = app;
        self
    }

    /// With the CSRF token that its form has in the field `_csrf`.
    pub const fn form_token(mut self, token: Option<&'r str>) -> Self {
        self.form_token = token;
        self
    }

    /// With what checks of the same request have renewed already.
    pub(crate) const fn renewed(mut self, fresh: &'r [Fresh]) -> Self {
        self.fresh = fresh;
        self
    }
}

pub(crate) fn view<'a>(headers: &'a HeaderMap, gate: Option<&'a Arc<Gate>>) -> HeaderView<'a> {
    HeaderView::with_cookies(headers, gate.and_then(|gate| gate.cookies()))
}

/// A request that may do what its route asks for.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The proof.
    pub permit: Permit,
    /// What has to go out with the response: a cookie that was renewed in passing.
    pub fresh: Option<Fresh>,
}

/// A request that is refused.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Why.
    pub rejection: Rejection,
    /// What has to go out with the response all the same: the old cookie is spent.
    pub fresh: Option<Fresh>,
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        refused.rejection
    }
}

impl Guard {
    /// A guard for every app that its memory knows.
    pub fn new(parts: GuardParts) -> Self {
        let inner = Arc::new(Inner { parts, pacing: Pacing::default() });
        Self(Arc::new(Own { inner, app: None, keeps: None }))
    }

    /// The same guard for one app only, whatever a request says.
    pub fn for_app(&self, app: AppId) -> Self {
        Self(Arc::new(Own { inner: Arc::clone(&self.0.inner), app: Some(app), keeps: self.0.keeps.clone() }))
    }

    /// The same guard, which keeps `what` alive for as long as it, a guard or a layer made from it, or a router with
    /// one of these is there. What feeds its memory belongs here: a guard that outlives that can answer nothing.
    ///
    /// `what` must not hold the guard itself, or neither ever goes away.
    pub fn keeping(&self, what: Arc<dyn Any + Send + Sync>) -> Self {
        Self(Arc::new(Own { inner: Arc::clone(&self.0.inner), app: self.0.app.clone(), keeps: Some(what) }))
    }

    /// A layer for a whole router: extractors in it check by this guard, credential cookies are hidden from handlers,
    /// and what depends on a credential is kept out of shared caches. It refuses nothing by itself. Inside another
    /// layer, the inner one's guard is the one that counts.
    pub fn layer(&self) -> AuthLayer {
        AuthLayer::new(self.clone())
    }

    /// A layer for a route: only who fulfils the requirement reaches it.
    pub fn require(&self, requirement: Requirement) -> RequireLayer {
        RequireLayer::new(self.clone(), requirement)
    }

    /// What it answers from.
    pub fn memory(&self) -> &Arc<RwLock<Memory>> {
        &self.0.inner.parts.memory
    }

    /// Whom it asks.
    pub fn authority(&self) -> &Arc<dyn Authority> {
        &self.0.inner.parts.authority
    }

    /// Its clocks.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.inner.parts.clock
    }

    /// Its randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.0.inner.parts.entropy
    }

    /// The one app it checks for, if it does.
    pub fn app(&self) -> Option<&AppId> {
        self.0.app.as_ref()
    }

    /// Whether both answer from one memory.
    pub(crate) fn shares_memory(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.inner, &other.0.inner)
    }

    /// Whether both judge every request alike.
    pub(crate) fn judges_as(&self, other: &Self) -> bool {
        self.shares_memory(other) && self.app() == other.app()
    }

    /// Checks the request.
    ///
    /// A cookie login whose credential has ended or become stale is renewed first, and so is one that lives but should
    /// be exchanged; a failure of the latter changes nothing for the request.
    pub async fn check(&self, request: &CheckRequest<'_>, requirement: &Requirement) -> Result<Checked, Refused> {
        let (outcome, need) = self.run(request, requirement).await;
        let outcome = match (outcome, need) {
            (outcome, None) => return conclude(outcome, None),
            (Ok(permit), Some(need)) => {
                let fresh = self.renew_in_passing(&permit, &need).await;
                return conclude(Ok(permit), fresh);
            }
            (Err(rejection), Some(need)) => self.renew(&need).await.map_err(|error| in_place_of(&rejection, error)),
        };
        match outcome {
            Err(rejection) => conclude(Err(rejection), None),
            Ok(fresh) => {
                let (outcome, _) = self.run(&request.renewed(std::slice::from_ref(&fresh)), requirement).await;
                conclude(outcome, Some(fresh))
            }
        }
    }

    /// The check until it is done, and what of the login wants renewal.
    ///
    /// The machine borrows the headers, which must not be held by a future that moves between threads; so it is begun
    /// anew after each answer and told what was answered. A request has at most two credentials, so this ends.
    async fn run(
        &self,
        request: &CheckRequest<'_>,
        requirement: &Requirement,
    ) -> (Result<Permit, Rejection>, Option<Need>) {
        let mut answers: Vec<Answered> = Vec::new();
        loop {
            match self.pass(request, requirement, &answers) {
                Pass::Done { outcome, need } => return (outcome, need),
                Pass::Ask(pending) => {
                    let answer = self.authority().ask(pending.question()).await;
                    answers.push(pending.answered(answer));
                }
            }
        }
    }
}

/// What a request is told that could not go on without the renewal: the authority knows best why it cannot.
fn in_place_of(before: &Rejection, error: RenewError) -> Rejection {
    let rejection = error.into_rejection();
    tracing::debug!(code = rejection.code(), before = before.code(), "a cookie was not renewed");
    rejection
}

fn conclude(outcome: Result<Permit, Rejection>, fresh: Option<Fresh>) -> Result<Checked, Refused> {
    match outcome {
        Ok(permit) => Ok(Checked { permit, fresh }),
        Err(rejection) => Err(Refused { rejection, fresh }),
    }
}

impl Fresh {
    /// The lines as header values.
    pub(crate) fn lines(&self) -> impl Iterator<Item = HeaderValue> {
        self.set_cookies().iter().filter_map(|line| HeaderValue::from_str(line).ok()).map(|mut value| {
            value.set_sensitive(true);
            value
        })
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("app", &self.app()).finish_non_exhaustive()
    }
}
