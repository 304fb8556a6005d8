//! One request between the layer and its handler.

use std::sync::Arc;

use http::header::{COOKIE, HeaderMap, HeaderValue};
use http::request::Parts;
use misario_core::authn::{Permit, Rejection, Requirement};
use parking_lot::Mutex;

use crate::cookies_out::CookiesOut;
use crate::guard::{CheckRequest, Checked, Fresh, Guard, Refused};
use crate::headers::take_cookies;

/// What a layer keeps for one request: the guard, the cookies as they came, what the check said, and the cookies that
/// have to go out.
#[derive(Debug)]
pub struct Gate {
    guard: Guard,
    cookies: Option<Vec<HeaderValue>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<Permit, Rejection>>,
    fresh: Option<Fresh>,
    cookies_out: CookiesOut,
    was_checked: bool,
}

impl Gate {
    /// The gate that the request came through; `None` if no layer is in front.
    pub fn of(parts: &Parts) -> Option<&Arc<Self>> {
        parts.extensions.get()
    }

    /// The guard of the layer.
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The request's `Cookie` lines as they came, where the handler does not see them like that.
    pub fn cookies(&self) -> Option<&[HeaderValue]> {
        self.cookies.as_deref()
    }

    /// Checks the request by the layer's guard. The last check's word is what extractors go by.
    pub async fn check(
        &self,
        parts: &Parts,
        requirement: &Requirement,
        form_token: Option<&str>,
    ) -> Result<Permit, Rejection> {
        let request = CheckRequest::of(parts).form_token(form_token);
        self.check_by(&self.guard, request, requirement).await
    }

    pub(crate) async fn check_by(
        &self,
        guard: &Guard,
        request: CheckRequest<'_>,
        requirement: &Requirement,
    ) -> Result<Permit, Rejection> {
        let before = self.state.lock().fresh.clone();
        let checked = guard.check(&request.renewed(before.as_ref()), requirement).await;
        let (outcome, fresh) = match checked {
            Ok(Checked { permit, fresh }) => (Ok(permit), fresh),
            Err(Refused { rejection, fresh }) => (Err(rejection), fresh),
        };
        let mut state = self.state.lock();
        state.was_checked = true;
        if let Some(fresh) = fresh.filter(|_| before.is_none()) {
            fresh.lines().for_each(|line| state.cookies_out.push(line));
            state.fresh = Some(fresh);
        }
        state.outcome = Some(outcome.clone());
        outcome
    }

    /// What a check of this request said; without one, whether there is a live login.
    pub(crate) async fn outcome(&self, parts: &Parts) -> Result<Permit, Rejection> {
        let known = self.state.lock().outcome.clone();
        match known {
            Some(outcome) => outcome,
            None => self.check(parts, &Requirement::default(), None).await,
        }
    }

    /// Takes the credential cookies out of the request and leaves a gate in it; `None` if there is one already.
    pub(crate) fn open<B>(guard: &Guard, request: &mut http::Request<B>) -> Option<Arc<Self>> {
        if request.extensions().get::<Arc<Self>>().is_some() {
            return None;
        }
        // Most requests of programs have none, and then nobody's lock is taken.
        let cookies = if request.headers().contains_key(COOKIE) {
            let memory = guard.memory().read();
            let apps = memory.apps();
            take_cookies(request.headers_mut(), |name| {
                apps.values().any(|app| app.cookies.access == name || app.cookies.refresh == name)
            })
        } else {
            None
        };
        let gate = Arc::new(Self { guard: guard.clone(), cookies, state: Mutex::default() });
        request.extensions_mut().insert(Arc::clone(&gate));
        Some(gate)
    }

    /// Puts into the response what the check left to be sent, and keeps it out of shared caches if it depends on a
    /// credential.
    pub(crate) fn close(&self, headers: &mut HeaderMap) {
        let mut state = self.state.lock();
        if state.was_checked {
            crate::layer::keep_from_caches(headers);
        }
        std::mem::take(&mut state.cookies_out).write(headers);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use misario_core::app::Mode;

    use super::*;
    use crate::testing::Bench;

    #[test]
    fn a_request_without_cookies_waits_for_nobody() {
        let bench = Bench::new(Mode::Session);
        let (guard, memory) = (bench.guard.clone(), Arc::clone(bench.guard.memory()));
        let changes_are_applied = memory.write();
        let (opened, is_open) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut request = http::Request::new(());
            opened.send(Gate::open(&guard, &mut request).is_some()).unwrap();
        });
        assert_eq!(is_open.recv_timeout(Duration::from_secs(5)), Ok(true));
        drop(changes_are_applied);
    }
}
