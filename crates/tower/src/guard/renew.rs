//! Cookies renewed in passing (DESIGN: apps, transports, modes and the switch).
//!
//! A browser with a cookie login runs no code of ours that could refresh, so the host does it while it answers: when
//! the credential has ended or become stale, because the request could not go on; when half its life is over or the
//! app hands out another form by now, because it is time. The latter is tried at most once a second per login, is
//! given a second, and its failure is nobody's business.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use misario_core::app::{AccessForm, App, Handout, Transport};
use misario_core::authn::{Check, Facts, Kind, Permit, Rejection, Via};
use misario_core::changes::MonoTime;
use misario_core::id::SessionId;
use misario_core::secret::SecretText;
use misario_jose::UnixTime;
use parking_lot::Mutex;

use super::Guard;
use crate::authority::{RenewError, RenewQuestion, Renewed};

/// How long a request that does not need the renewal waits for it, and how long a login is left alone after one.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a renewal brought: the credential that the request goes on with, and the lines for the browser.
#[derive(Debug, Clone)]
pub struct Fresh {
    app: Arc<App>,
    renewed: Renewed,
}

impl Fresh {
    /// The app whose cookies they are.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The `Set-Cookie` lines. They hold credentials.
    pub fn set_cookies(&self) -> &[String] {
        &self.renewed.set_cookies
    }

    pub(super) fn access(&self) -> &str {
        self.renewed.access.expose()
    }

    /// Whether the check looks at the credential that was renewed.
    pub(super) fn replaces(&self, check: &Check<'_>) -> bool {
        check.via() == Via::Cookie && check.app().id == self.app.id
    }
}

/// A cookie login that wants renewal.
pub(super) struct Need {
    app: Arc<App>,
    access: Option<SecretText>,
    refresh: Option<SecretText>,
}

impl Need {
    /// What of the checked login wants renewal, if anything does.
    pub(super) fn of(check: &Check<'_>, outcome: &Result<Permit, Rejection>, now: UnixTime) -> Option<Self> {
        let shown = check.presented();
        let is_due = match outcome {
            Ok(permit) => is_due(check.app(), permit.principal().facts(), shown.refresh_cookie.is_some(), now),
            Err(rejection) => rejection.is_renewable(),
        };
        let secret = |text: &str| SecretText::new(text.to_owned());
        (check.via() == Via::Cookie && is_due).then(|| Self {
            app: Arc::clone(check.app()),
            access: shown.cookie.map(secret),
            refresh: shown.refresh_cookie.map(secret),
        })
    }
}

/// Whether a credential that counts should be exchanged for what its app hands out now.
fn is_due(app: &App, facts: &Facts, had_refresh: bool, now: UnixTime) -> bool {
    if facts.transport != Transport::Cookie || facts.sid.is_none() {
        return false;
    }
    let form = match facts.kind {
        Kind::Session => AccessForm::SessionToken,
        Kind::Jwt => AccessForm::Jwt,
    };
    let half_spent = facts.kind == Kind::Jwt && facts.half_spent(now);
    half_spent || form != Handout::of(app.mode, facts.transport, had_refresh).access
}

impl Guard {
    pub(super) async fn renew(&self, need: &Need) -> Result<Fresh, RenewError> {
        let question = RenewQuestion {
            app: &need.app.id,
            access: need.access.as_ref().map(SecretText::expose),
            refresh: need.refresh.as_ref().map(SecretText::expose),
        };
        let renewed = self.authority().renew(question).await?;
        Ok(Fresh { app: Arc::clone(&need.app), renewed })
    }

    /// The renewal of a login that lives; `None` if it is not its turn, or failed.
    pub(super) async fn renew_in_passing(&self, permit: &Permit, need: &Need) -> Option<Fresh> {
        let sid = permit.login()?.sid();
        if !self.0.inner.pacing.may_try(sid, self.clock().mono()) {
            return None;
        }
        match tokio::time::timeout(PATIENCE, self.renew(need)).await {
            Ok(Ok(fresh)) => Some(fresh),
            Ok(Err(error)) => {
                tracing::debug!(code = error.into_rejection().code(), %sid, "a cookie was not renewed in passing");
                None
            }
            Err(_) => {
                tracing::debug!(%sid, "a cookie was not renewed in passing: the authority took too long");
                None
            }
        }
    }
}

/// When each login was last tried. A page loads with many requests at once; one of them brings the new cookie.
#[derive(Default)]
pub(super) struct Pacing(Mutex<HashMap<SessionId, MonoTime>>);

/// Above this, whoever had their turn is forgotten.
const REMEMBERED: usize = 10_000;

impl Pacing {
    fn may_try(&self, sid: SessionId, now: MonoTime) -> bool {
        let mut tried = self.0.lock();
        if tried.get(&sid).is_some_and(|last| now.since(*last) < PATIENCE) {
            return false;
        }
        if tried.len() >= REMEMBERED {
            tried.retain(|_, last| now.since(*last) < PATIENCE);
        }
        tried.insert(sid, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_has_its_turn_once_a_second() {
        let pacing = Pacing::default();
        let (one, other) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        let at = MonoTime::from_millis;
        assert!(pacing.may_try(one, at(5_000)));
        assert!(!pacing.may_try(one, at(5_999)));
        assert!(pacing.may_try(other, at(5_999)));
        assert!(pacing.may_try(one, at(6_000)));
    }

    #[test]
    fn who_had_their_turn_is_forgotten() {
        let pacing = Pacing::default();
        for number in 0..20_000_u64 {
            let mut sid = [0; 16];
            sid[..8].copy_from_slice(&number.to_be_bytes());
            assert!(pacing.may_try(SessionId::from_bytes(sid), MonoTime::from_millis(number)));
        }
        assert!(pacing.0.lock().len() <= REMEMBERED);
    }
}
