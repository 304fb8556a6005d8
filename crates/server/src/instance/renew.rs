//! Renewing: refresh, the exchange after a switch of mode, and the renewal of cookies in passing are one thing.
//!
//! What is shown may be of any form that the login ever got; what is handed out is what the app's mode hands out now.
//! A renewal that loses a race reads again and answers with what the winner made; it never ends anything.

use std::sync::Arc;

use misario_core::app::{App, Handout};
use misario_core::authn::{AccessCredential, CredentialFault, Facts, Rejection};
use misario_core::changes::Verdict;
use misario_core::id::SessionId;
use misario_core::refresh::{RefreshPolicy, Rotation, decide};
use misario_core::secret::{RefreshToken, SessionToken};
use misario_core::session::{Device, Session, SessionState};
use misario_core::store::{Inserted, LoadedSession, RecordKind, Swapped};
use misario_core::user::{User, UserState};

use super::issue::{Handed, LoginFacts};
use super::{Instance, Wait};
use crate::error::{Error, GrantFault};

/// How often a renewal starts again because another was faster. Each round somebody wins, so only a crowd larger than
/// this can use it up.
const ROUNDS: usize = 64;

/// What a client shows to be renewed: the refresh token, else the access token. It prints what is there, not what it is.
#[derive(Clone, Copy, Default)]
pub struct Shown<'a> {
    /// The refresh token.
    pub refresh: Option<&'a str>,
    /// The access credential, of either form.
    pub access: Option<&'a str>,
}

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown")
            .field("refresh", &self.refresh.is_some())
            .field("access", &self.access.is_some())
            .finish()
    }
}

impl Instance {
    /// Renews the login behind what is shown.
    pub async fn renew(&self, app: &Arc<App>, shown: Shown<'_>) -> Result<Handed, Error> {
        let shown = self.of_one_login(app, shown);
        let renewed = match (shown.refresh, shown.access.and_then(AccessCredential::of)) {
            (Some(text), _) => self.renew_by_refresh_token(app, text).await,
            (None, Some(AccessCredential::Session(text))) => self.renew_by_session_token(app, text).await,
            (None, Some(AccessCredential::Jwt(text))) => self.renew_by_jwt(app, text).await,
            (None, None) => Err(GrantFault::Missing.into()),
        };
        if let Err(error) = &renewed {
            tracing::info!(code = error.code(), app = %app.id, "renewal refused");
        }
        renewed
    }

    /// A browser may hold the refresh cookie of one login beside the access cookie of another that began later. The
    /// access credential is the one that its requests are answered by, so its login is the one to renew.
    pub(super) fn of_one_login<'a>(&self, app: &App, shown: Shown<'a>) -> Shown<'a> {
        let of_refresh = shown.refresh.and_then(|text| RefreshToken::parse(self.keys.replica(), text).ok());
        let of_access = match shown.access.and_then(AccessCredential::of) {
            Some(AccessCredential::Session(text)) => {
                SessionToken::parse(self.keys.replica(), text).ok().map(|token| token.sid())
            }
            Some(AccessCredential::Jwt(text)) => {
                let (window, now) = (app.lifetimes.renew_window, self.clock.wall());
                let verified = self.memory.read().verify_within(&app.id, text, now, window);
                verified.ok().flatten().and_then(|facts| facts.sid)
            }
            None => None,
        };
        match (of_refresh, of_access) {
            (Some(token), Some(sid)) if token.sid() != sid => Shown { refresh: None, ..shown },
            _ => shown,
        }
    }

    async fn renew_by_refresh_token(&self, app: &Arc<App>, text: &str) -> Result<Handed, Error> {
        let token = RefreshToken::parse(self.keys.replica(), text).map_err(|_| GrantFault::Unknown)?;
        let policy = RefreshPolicy { reuse_interval: app.lifetimes.reuse_interval };
        for _ in 0..ROUNDS {
            // An access token that was seen in use, and not yet written down, counts. Looked up before the login is
            // loaded: a use seen after that may be of a head that a faster tab got by an answer which this record does
            // not show yet, and would make an honest token look reused.
            let seen = self.memory.read().touches().of(&app.id, &token.sid()).and_then(|touch| touch.generation);
            let loaded = self.live_session(app, token.sid()).await?;
            // Only a token that is provably ours may go on: from here on it can revoke the login.
            let seed = self.seed(&loaded.session)?;
            if !token.is_genuine(&self.keys, &seed) {
                return Err(GrantFault::Unknown.into());
            }
            let Some(mut family) = loaded.session.family.clone() else { return Err(GrantFault::Unknown.into()) };
            family = seen.and_then(|generation| family.seen(generation)).unwrap_or(family);
            let now = self.clock.wall();
            let mut session = loaded.session.clone();
            match decide(&family, token.generation(), policy, now) {
                Rotation::Rotate { next } => session.family = Some(family.rotated(next, policy, now)),
                Rotation::Retry { .. } => {
                    session.family = Some(family.retried(token.generation(), policy, now).unwrap_or(family));
                }
                Rotation::Reject => return Err(GrantFault::Unknown.into()),
                Rotation::Reused { .. } => {
                    let reused = Error::from(GrantFault::Reused);
                    tracing::warn!(code = reused.code(), sid = %session.sid, app = %app.id, "refresh token reused");
                    self.end_login(session.sid, session.login_exp, Wait::Yes).await?;
                    return Err(reused);
                }
            }
            if let Some(handed) = self.renew_record(app, loaded, session).await? {
                return Ok(handed);
            }
        }
        Err(GrantFault::Contended.into())
    }

    async fn renew_by_session_token(&self, app: &Arc<App>, text: &str) -> Result<Handed, Error> {
        let token = SessionToken::parse(self.keys.replica(), text).map_err(|_| GrantFault::Unknown)?;
        for _ in 0..ROUNDS {
            let loaded = self.live_session(app, token.sid()).await?;
            if !self.counts(&token, &loaded.session) {
                return Err(GrantFault::Unknown.into());
            }
            let session = loaded.session.clone();
            if let Some(handed) = self.renew_record(app, loaded, session).await? {
                return Ok(handed);
            }
        }
        Err(GrantFault::Contended.into())
    }

    /// An access JWT renews a login that has no refresh token: one of a `jwt` app, which ended less than the renewal
    /// window ago. After a switch its login gets the record that it now needs.
    async fn renew_by_jwt(&self, app: &Arc<App>, text: &str) -> Result<Handed, Error> {
        let now = self.clock.wall();
        let facts = self.renewable_claims(app, text)?;
        let (Some(sid), Some(login_exp)) = (facts.sid, facts.login_exp) else { return Err(GrantFault::Unknown.into()) };
        if now >= login_exp {
            return Err(GrantFault::Ended.into());
        }
        for _ in 0..ROUNDS {
            if let Some(loaded) = self.load_session(&app.id, &sid).await? {
                let loaded = self.still_live(app, loaded).await?;
                // A step-up counts for the token that it brought, not for one that may have been copied before.
                if facts.auth_time < Some(loaded.session.auth_time) {
                    return Err(GrantFault::Unknown.into());
                }
                let session = loaded.session.clone();
                if let Some(handed) = self.renew_record(app, loaded, session).await? {
                    return Ok(handed);
                }
                continue;
            }
            let login = self.stateless_login(app, &facts, sid).await?;
            let handout = Handout::of(app.mode, login.transport, false);
            if !handout.needs_record() {
                return self.hand_out_stateless(app, &login);
            }
            if let Some(handed) = self.record_for(app, &login, &facts).await? {
                return Ok(handed);
            }
        }
        Err(GrantFault::Contended.into())
    }

    /// Makes the record of a login that had none, and hands out; `None`: somebody else was faster. It takes the login's own
    /// handle, so any number of racers make one: the others find it taken.
    pub(super) async fn record_for(
        &self,
        app: &Arc<App>,
        login: &LoginFacts,
        facts: &Facts,
    ) -> Result<Option<Handed>, Error> {
        let mut session = self.new_session(app, login, Device::default())?;
        session.issued = facts.issued;
        self.prepare(&mut session, Handout::of(app.mode, login.transport, false))?;
        match self.live.insert(&session).await? {
            Inserted::Done(_) => self.hand_out(app, &session, login.position, login.now).map(Some),
            Inserted::Exists => Ok(None),
            Inserted::Fenced => Err(GrantFault::Revoked.into()),
        }
    }

    /// The facts of an access JWT that may be renewed.
    fn renewable_claims(&self, app: &App, text: &str) -> Result<Facts, Error> {
        let now = self.clock.wall();
        let memory = self.memory.read();
        let verified = memory.verify_within(&app.id, text, now, app.lifetimes.renew_window);
        let facts = match verified {
            Ok(Some(facts)) => facts,
            Ok(None) => return Err(GrantFault::Unknown.into()),
            Err(CredentialFault::Jwt { error }) if error.is_expired() => {
                return Err(GrantFault::Ended.into());
            }
            Err(fault) => {
                tracing::info!(code = Rejection::from(fault).code(), app = %app.id, "shown for renewal");
                return Err(GrantFault::Unknown.into());
            }
        };
        // Otherwise a stolen access token would live as long as the login, past every rotation.
        if facts.generation.is_some() {
            return Err(GrantFault::RefreshTokenNeeded.into());
        }
        match memory.judge(&facts) {
            Verdict::Revoked { .. } => Err(GrantFault::Revoked.into()),
            _ => Ok(facts),
        }
    }

    /// What a login without a record is now: roles as the directory has them, everything else as its token says.
    async fn stateless_login(&self, app: &App, facts: &Facts, sid: SessionId) -> Result<LoginFacts, Error> {
        let now = self.clock.wall();
        let cut = self.fences(&app.id, &facts.subject, Some(sid)).await?;
        if cut.refuses(facts.issued) {
            return Err(GrantFault::Revoked.into());
        }
        let row = self.load::<User>(RecordKind::User, facts.subject.as_str()).await?.map(|(user, _)| user);
        if row.as_ref().is_some_and(|user| user.state == UserState::Disabled) {
            return Err(GrantFault::UserDisabled.into());
        }
        let of_token =
            || misario_core::user::Grant { roles: facts.roles.clone(), permissions: facts.permissions.clone() };
        Ok(LoginFacts {
            sid,
            subject: facts.subject.clone(),
            transport: facts.transport,
            auth_time: facts.auth_time.unwrap_or(facts.begun),
            login_exp: facts.login_exp.unwrap_or(facts.deadline),
            grant: row.as_ref().map_or_else(of_token, |user| user.grant(&app.id)),
            amr: facts.amr.clone(),
            org: facts.org.clone(),
            position: cut.as_of,
            now,
        })
    }

    /// The session, if it is live, with its grant up to date.
    async fn live_session(&self, app: &App, sid: SessionId) -> Result<LoadedSession, Error> {
        let loaded = self.load_session(&app.id, &sid).await?.ok_or(GrantFault::Unknown)?;
        self.still_live(app, loaded).await
    }

    /// The loaded session, if it is live, with its grant up to date.
    pub(super) async fn still_live(&self, app: &App, loaded: LoadedSession) -> Result<LoadedSession, Error> {
        if loaded.session.app != app.id {
            return Err(GrantFault::OtherApp.into());
        }
        if loaded.is_fenced() {
            return Err(GrantFault::Revoked.into());
        }
        if loaded.session.state(self.clock.wall()) != SessionState::Live {
            return Err(GrantFault::Ended.into());
        }
        // Who was disabled by a call that died before its revocation has no fence yet.
        let row = self.load::<User>(RecordKind::User, loaded.session.subject.as_str()).await?;
        if row.is_some_and(|(user, _)| user.state == UserState::Disabled) {
            return Err(GrantFault::UserDisabled.into());
        }
        self.with_current_grant(loaded).await
    }

    /// Stores `session` over what was loaded and hands out; `None`: somebody else was faster.
    async fn renew_record(
        &self,
        app: &Arc<App>,
        loaded: LoadedSession,
        mut session: Session,
    ) -> Result<Option<Handed>, Error> {
        let handout = Handout::of(app.mode, session.transport, session.family.is_some());
        self.prepare(&mut session, handout)?;
        let now = self.clock.wall();
        if session.wants_touch(now) {
            session.last_seen = now;
        }
        if session != loaded.session {
            match self.live.swap(&session, loaded.revision).await? {
                Swapped::Done(_) => {}
                Swapped::Conflict => return Ok(None),
                Swapped::Gone | Swapped::Fenced => return Err(GrantFault::Revoked.into()),
            }
        }
        self.hand_out(app, &session, loaded.as_of, now).map(Some)
    }
}
