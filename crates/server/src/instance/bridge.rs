//! The authority as verifiers in this process ask it: [`misario_tower::Authority`] on the instance itself.

use std::sync::{Arc, Weak};

use misario_core::app::Transport;
use misario_core::authn::{AccessCredential, Answer, CredentialFault, Rejection, UnavailableFault};
use misario_core::changes::LeaseState;
use misario_core::id::AppId;
use misario_core::secret::RefreshToken;
use misario_core::store::RecordKind;
use misario_tower::authority::{BoxFuture, Question, RenewError, RenewQuestion, Renewed};
use misario_tower::{Authority, Guard, GuardParts};

use super::start::LEASE_RECORD;
use super::verdict::unavailable;
use super::{Instance, Shown};
use crate::error::{Error, GrantFault};

/// Weak, because the guard lives in the instance.
struct Bridge(Weak<Instance>);

impl Authority for Bridge {
    fn ask<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Result<Answer, UnavailableFault>> {
        Box::pin(async move {
            let instance = self.0.upgrade().ok_or(UnavailableFault::Authority)?;
            let Some(credential) = AccessCredential::of(question.credential) else {
                let outcome = Err(CredentialFault::Unrecognised.into());
                return Ok(Answer { as_of: misario_core::changes::Position::ZERO, outcome });
            };
            instance.answer(question.app, credential, (question.asked_for, question.holder)).await
        })
    }

    fn renew<'a>(&'a self, question: RenewQuestion<'a>) -> BoxFuture<'a, Result<Renewed, RenewError>> {
        Box::pin(async move {
            let instance = self.0.upgrade().ok_or(UnavailableFault::Authority)?;
            instance.renew_cookies(question.app, question.access, question.refresh).await
        })
    }
}

impl Instance {
    /// The guard that answers from this authority's own memory.
    pub(crate) fn guard(self: &Arc<Self>) -> &Guard {
        self.guard.get_or_init(|| {
            Guard::new(GuardParts {
                memory: Arc::clone(&self.memory),
                authority: Arc::new(Bridge(Arc::downgrade(self))),
                clock: Arc::clone(&self.clock),
                entropy: Arc::clone(&self.entropy),
            })
        })
    }

    /// A new access credential for a cookie login, for whoever writes a response to its browser.
    pub(crate) async fn renew_cookies(
        &self,
        app: &AppId,
        access: Option<&str>,
        refresh: Option<&str>,
    ) -> Result<Renewed, RenewError> {
        let renewed = async {
            let app = self.app(app)?;
            let Shown { refresh, access } = self.of_one_login(&app, Shown { refresh, access });
            // Only logins whose credentials travel in cookies: others renew themselves, and would lose what they hold.
            if self.transport_behind(&app.id, access, refresh).await? != Some(Transport::Cookie) {
                return Err(GrantFault::RefreshTokenNeeded.into());
            }
            let handed = self.renew(&app, Shown { refresh, access }).await?;
            let set_cookies = handed.set_cookies()?;
            Ok::<_, Error>(Renewed { access: handed.access().clone(), set_cookies })
        };
        renewed.await.map_err(|error| match error {
            Error::Store(error) => RenewError::Unavailable(unavailable(&error)),
            Error::Grant(GrantFault::Revoked | GrantFault::Reused) => refused(CredentialFault::Revoked),
            Error::Grant(GrantFault::UserDisabled) => refused(CredentialFault::UserDisabled),
            Error::Grant(GrantFault::Ended) => refused(CredentialFault::SessionEnded),
            Error::Grant(GrantFault::OtherApp) => refused(CredentialFault::OtherApp),
            Error::Rejected(Rejection::Unavailable(fault)) => RenewError::Unavailable(fault),
            // A fault that is not the login's: the login lives, and nobody is to take this for its end.
            Error::Grant(GrantFault::Contended) | Error::Internal(_) | Error::Input(_) => {
                RenewError::Unavailable(UnavailableFault::Authority)
            }
            _ => refused(CredentialFault::SessionUnknown),
        })
    }

    async fn transport_behind(
        &self,
        app: &AppId,
        access: Option<&str>,
        refresh: Option<&str>,
    ) -> Result<Option<Transport>, Error> {
        let by_refresh = refresh.and_then(|text| RefreshToken::parse(self.keys.replica(), text).ok());
        if let Some(token) = by_refresh {
            return Ok(self.live.load(&token.sid()).await?.map(|loaded| loaded.session.transport));
        }
        match access.and_then(AccessCredential::of) {
            Some(AccessCredential::Session(text)) => {
                let token = misario_core::secret::SessionToken::parse(self.keys.replica(), text);
                let Ok(token) = token else { return Ok(None) };
                Ok(self.live.load(&token.sid()).await?.map(|loaded| loaded.session.transport))
            }
            Some(AccessCredential::Jwt(text)) => {
                let window = self.app(app)?.lifetimes.renew_window;
                let verified = self.memory.read().verify_within(app, text, self.clock.wall(), window);
                Ok(verified.ok().flatten().map(|facts| facts.transport))
            }
            None => Ok(None),
        }
    }

    /// Whether this node may answer from memory.
    pub(crate) fn holds_lease(&self) -> bool {
        let now = self.clock.mono();
        matches!(self.memory.read().replica().lease(now), LeaseState::Held { .. })
    }

    /// Whether the store answers: a record is read, since a log's head may be known without the store.
    pub(crate) async fn store_answers(&self) -> Result<(), Error> {
        self.records.load_record(RecordKind::Instance, LEASE_RECORD).await?;
        self.live.head().await?;
        Ok(())
    }
}

fn refused(fault: CredentialFault) -> RenewError {
    RenewError::Refused(Rejection::from(fault))
}
