//! Answering what a verifier's memory cannot tell: the session behind a token, and the authority's own word.

use std::sync::Arc;

use misario_core::authn::{
    AccessCredential, Answer, AskedFor, CredentialFault, Facts, Holder, Rejection, Touch, UnavailableFault,
};
use misario_core::changes::{Position, Verdict};
use misario_core::id::{AppId, SessionId, Subject};
use misario_core::secret::SessionToken;
use misario_core::session::{Session, SessionState};
use misario_core::store::{LoadedSession, RecordKind, StoreError, Swapped};
use misario_core::user::{User, UserState};

use super::Instance;
use crate::error::Error;

impl Instance {
    /// The authority's answer about a credential: at most one store read for a session token. An error means that
    /// nothing is known, never that nobody is logged in.
    pub(crate) async fn answer(
        &self,
        app: &AppId,
        credential: AccessCredential<'_>,
        (asked_for, holder): (AskedFor, Holder),
    ) -> Result<Answer, UnavailableFault> {
        let looked = match credential {
            AccessCredential::Session(text) => self.look_up_session(app, text, asked_for).await,
            AccessCredential::Jwt(text) => self.look_up_jwt(app, text, holder).await,
        };
        match looked {
            Ok((as_of, facts)) => Ok(Answer { as_of, outcome: Ok(Arc::new(facts)) }),
            Err(Error::Rejected(Rejection::Unavailable(fault))) => Err(fault),
            // A refusal is never cached, so the position it was read at tells nobody anything.
            Err(Error::Rejected(rejection)) => Ok(Answer { as_of: Position::ZERO, outcome: Err(rejection) }),
            Err(Error::Store(error)) => Err(unavailable(&error)),
            Err(other) => {
                tracing::error!(code = other.code(), "a credential could not be judged");
                Err(UnavailableFault::Authority)
            }
        }
    }

    async fn look_up_session(&self, app: &AppId, text: &str, asked_for: AskedFor) -> Result<(Position, Facts), Error> {
        let secret = |error| Rejection::from(CredentialFault::Secret { error });
        let token = SessionToken::parse(self.keys.replica(), text).map_err(secret)?;
        let unknown = || Error::from(Rejection::from(CredentialFault::SessionUnknown));
        let loaded = self.load_session(app, &token.sid()).await?.ok_or_else(unknown)?;
        if !self.counts(&token, &loaded.session) {
            return Err(unknown());
        }
        // Who was disabled by a call that died before its revocation has no fence yet.
        if asked_for == AskedFor::Verdict {
            self.refuse_disabled(&loaded.session.subject).await?;
        }
        self.facts_of(app, loaded).await
    }

    /// The facts of a loaded session, if it counts.
    async fn facts_of(&self, app: &AppId, loaded: LoadedSession) -> Result<(Position, Facts), Error> {
        let refuse = |fault: CredentialFault| Err(Error::from(Rejection::from(fault)));
        if loaded.session.app != *app {
            return refuse(CredentialFault::OtherApp);
        }
        if loaded.is_fenced() {
            return refuse(CredentialFault::Revoked);
        }
        match loaded.session.state(self.clock.wall()) {
            SessionState::Live => {}
            SessionState::Idle => return refuse(CredentialFault::SessionIdle),
            SessionState::Ended => return refuse(CredentialFault::SessionEnded),
        }
        let loaded = self.with_current_grant(loaded).await?;
        let mut session = loaded.session;
        // It is used now, which the next report writes down: the deadline counts from here.
        let now = self.clock.wall();
        self.memory.read().touches().note(app, session.sid, Touch { at: now, generation: None });
        session.last_seen = session.last_seen.max(now);
        Ok((loaded.as_of, Facts::of_session(&session)))
    }

    /// The authority's word on a JWT: beside what every verifier checks, the fences, the user's state, and the record,
    /// if one stands behind the login.
    async fn look_up_jwt(&self, app: &AppId, text: &str, holder: Holder) -> Result<(Position, Facts), Error> {
        let now = self.clock.wall();
        let (judged, facts) = {
            let memory = self.memory.read();
            let facts = memory.verify_jwt(app, text, now).map_err(Rejection::from)?;
            let facts = facts.ok_or(Rejection::from(CredentialFault::Unrecognised))?;
            match memory.judge(&facts) {
                // Revoked tokens and keys are known by the view alone, which may be older than the fences below.
                Verdict::Good => (memory.replica().view().applied(), facts),
                Verdict::Revoked { .. } => return Err(Rejection::from(CredentialFault::Revoked).into()),
                Verdict::Stale => return Err(Rejection::from(CredentialFault::Stale).into()),
            }
        };
        let cut = self.fences(app, &facts.subject, facts.sid).await?;
        if cut.refuses(facts.issued) {
            return Err(Rejection::from(CredentialFault::Revoked).into());
        }
        self.refuse_disabled(&facts.subject).await?;
        if let (Some(sid), Some(_)) = (facts.sid, facts.generation) {
            // It came with a refresh token, so a record stands behind it; without the record the login is over.
            let unknown = || Error::from(Rejection::from(CredentialFault::SessionUnknown));
            let loaded = self.load_session(app, &sid).await?.ok_or_else(unknown)?;
            self.facts_of(app, loaded).await?;
            // A step-up counts for the token that it brought, not for one that may have been copied before.
            if holder == Holder::Caller {
                let used = Touch { at: now, generation: facts.generation };
                self.memory.read().touches().note(app, sid, used);
            }
        }
        Ok((cut.as_of.min(judged), facts))
    }

    async fn refuse_disabled(&self, subject: &Subject) -> Result<(), Error> {
        let row = self.load::<User>(RecordKind::User, subject.as_str()).await?;
        match row {
            Some((user, _)) if user.state == UserState::Disabled => {
                Err(Rejection::from(CredentialFault::UserDisabled).into())
            }
            _ => Ok(()),
        }
    }

    /// Whether the token is the one of its session that counts.
    pub(super) fn counts(&self, token: &SessionToken, session: &Session) -> bool {
        let shown = token.digest(&self.keys);
        matches!((shown, &session.token), (Some(shown), Some(state)) if shown.matches(&state.digest))
    }

    /// The session, last seen when it was last used in `app`, written down or not.
    pub(super) async fn load_session(&self, app: &AppId, sid: &SessionId) -> Result<Option<LoadedSession>, Error> {
        // Read before the record: a use that is written down in between is forgotten here, and in the record.
        let touched = self.memory.read().touches().of(app, sid);
        let mut loaded = self.live.load(sid).await?;
        if let (Some(loaded), Some(touched)) = (&mut loaded, touched)
            && loaded.session.app == *app
        {
            loaded.session.last_seen = loaded.session.last_seen.max(touched.at);
        }
        Ok(loaded)
    }

    /// The session with its grant as the directory has it, where a change of roles came after the grant was read.
    pub(super) async fn with_current_grant(&self, mut loaded: LoadedSession) -> Result<LoadedSession, Error> {
        if !loaded.is_stale() {
            return Ok(loaded);
        }
        let before = loaded.as_of;
        let subject = loaded.session.subject.as_str().to_owned();
        if let Some((user, _)) = self.load::<User>(RecordKind::User, &subject).await? {
            loaded.session.grant = user.grant(&loaded.session.app);
        }
        loaded.session.grant_at = before;
        // Lost races and a store that takes no writes are no matter: the next reader looks again.
        if let Ok(Swapped::Done(revision)) = self.live.swap(&loaded.session, loaded.revision).await {
            loaded.revision = revision;
        }
        Ok(loaded)
    }
}

pub(super) fn unavailable(error: &StoreError) -> UnavailableFault {
    UnavailableFault::Store { code: error.code() }
}
