//! One request between the layer and its handler.

use std::sync::Arc;

use http::header::{COOKIE, HeaderMap, HeaderValue};
use http::request::Parts;
use misario_core::authn::{Permit, Rejection, Requirement};
use misario_core::id::AppId;
use parking_lot::Mutex;

use crate::cookies_out::CookiesOut;
use crate::guard::{CheckRequest, Checked, Fresh, Guard, Refused};
use crate::headers::take_cookies;

/// What a layer keeps for one request: the guard, the cookies as they came, what the check said, and the cookies that
/// have to go out.
///
/// Each layer of another guard has a gate of its own, and the handler sees the innermost: a login of the outer layer's
/// app says nothing about the inner one's. What concerns the response is kept once, at the outermost gate.
#[derive(Debug)]
pub struct Gate {
    guard: Guard,
    cookies: Option<Arc<[HeaderValue]>>,
    outcome: Mutex<Option<Result<Permit, Rejection>>>,
    outermost: Option<Arc<Self>>,
    leaving: Mutex<Leaving>,
}

/// What has to go out with the response. Only the outermost gate's is used.
#[derive(Debug, Default)]
struct Leaving {
    fresh: Vec<(Guard, Fresh)>,
    cookies: CookiesOut,
    was_checked: bool,
}

impl Gate {
    /// The gate that the request came through last; `None` if no layer is in front.
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
        let before = self.renewed();
        let request = CheckRequest::of(parts).form_token(form_token);
        let checked = self.guard.check(&request.renewed(&before), requirement).await;
        let (outcome, fresh) = match checked {
            Ok(Checked { permit, fresh }) => (Ok(permit), fresh),
            Err(Refused { rejection, fresh }) => (Err(rejection), fresh),
        };
        self.note(fresh);
        *self.outcome.lock() = Some(outcome.clone());
        outcome
    }

    /// What a check of this request said; without one, whether there is a live login.
    pub(crate) async fn outcome(&self, parts: &Parts) -> Result<Permit, Rejection> {
        let known = self.outcome.lock().clone();
        match known {
            Some(outcome) => outcome,
            None => self.check(parts, &Requirement::default(), None).await,
        }
    }

    /// The app whose login the last check found, if it found one.
    pub(crate) fn app_of_last_check(&self) -> Option<AppId> {
        self.outcome.lock().as_ref()?.as_ref().ok().map(|permit| permit.principal().app().clone())
    }

    /// Takes the credential cookies out of the request and leaves a gate in it; `None` if the request came through one
    /// of a guard that judges alike.
    pub(crate) fn open<B>(guard: &Guard, request: &mut http::Request<B>) -> Option<Arc<Self>> {
        let outer = request.extensions().get::<Arc<Self>>().cloned();
        if outer.as_ref().is_some_and(|outer| outer.guard.judges_as(guard)) {
            return None;
        }
        let taken = hide_cookies(guard, request.headers_mut());
        let gate = Arc::new(Self {
            guard: guard.clone(),
            // The outer layer saw all lines; an inner one knows of apps whose cookies it left in.
            cookies: outer.as_ref().and_then(|outer| outer.cookies.clone()).or(taken),
            outcome: Mutex::default(),
            outermost: outer.map(|outer| outer.outermost.clone().unwrap_or(outer)),
            leaving: Mutex::default(),
        });
        request.extensions_mut().insert(Arc::clone(&gate));
        Some(gate)
    }

    /// Puts into the response what the checks left to be sent, and keeps it out of shared caches if it depends on a
    /// credential. An inner gate leaves that to the outermost.
    pub(crate) fn close(&self, headers: &mut HeaderMap) {
        if self.outermost.is_some() {
            return;
        }
        let mut leaving = self.leaving.lock();
        if leaving.was_checked {
            crate::layer::keep_from_caches(headers);
        }
        std::mem::take(&mut leaving.cookies).write(headers);
    }

    fn leaving(&self) -> &Mutex<Leaving> {
        self.outermost.as_ref().map_or(&self.leaving, |outermost| &outermost.leaving)
    }

    /// What checks of this request have renewed from the same memory.
    fn renewed(&self) -> Vec<Fresh> {
        let leaving = self.leaving().lock();
        let own = leaving.fresh.iter().filter(|(guard, _)| guard.shares_memory(&self.guard));
        own.map(|(_, fresh)| fresh.clone()).collect()
    }

    fn note(&self, fresh: Option<Fresh>) {
        let mut leaving = self.leaving().lock();
        leaving.was_checked = true;
        if let Some(fresh) = fresh {
            fresh.lines().for_each(|line| leaving.cookies.push(line));
            leaving.fresh.push((self.guard.clone(), fresh));
        }
    }
}

/// Takes the credential cookies out of the headers; all lines as they were, if any were taken.
fn hide_cookies(guard: &Guard, headers: &mut HeaderMap) -> Option<Arc<[HeaderValue]>> {
    // Most requests of programs have none, and then nobody's lock is taken.
    if !headers.contains_key(COOKIE) {
        return None;
    }
    let memory = guard.memory().read();
    let apps = memory.apps();
    let is_ours = |name: &str| apps.values().any(|app| app.cookies.access == name || app.cookies.refresh == name);
    take_cookies(headers, is_ours).map(Arc::from)
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
