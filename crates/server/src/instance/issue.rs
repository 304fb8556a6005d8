//! Handing out: from a login to the credentials its client gets, by the app's mode and the login's transport.

use std::sync::Arc;

use misario_core::app::{AccessForm, App, Handout, Transport};
use misario_core::authn::CookieWriter;
use misario_core::changes::Position;
use misario_core::claims::{ACCESS_TYP, AccessClaims};
use misario_core::id::{SessionId, Subject};
use misario_core::refresh::{Generation, TokenFamily};
use misario_core::secret::{LoginSeed, RefreshToken, SecretText, SessionToken};
use misario_core::session::{Session, SessionTokenState};
use misario_core::user::Grant;
use misario_jose::{UnixTime, b64u};
use serde::Serialize;

use super::Instance;
use crate::error::{Error, InputFault, InternalFault};

/// The octets of an access token that headers carry without trouble.
const HEADER_BUDGET: usize = 8 * 1024;

/// What a login is, whether or not a record stands behind it.
#[derive(Debug, Clone)]
pub(crate) struct LoginFacts {
    pub(crate) sid: SessionId,
    pub(crate) subject: Subject,
    pub(crate) transport: Transport,
    pub(crate) auth_time: UnixTime,
    pub(crate) login_exp: UnixTime,
    pub(crate) grant: Grant,
    pub(crate) amr: Vec<String>,
    pub(crate) org: Option<String>,
    /// The position read before all of this was read.
    pub(crate) position: Position,
    /// The time read before all of this was read: lifetimes count from it (PROTOCOL rule 22).
    pub(crate) now: UnixTime,
}

impl LoginFacts {
    /// The facts of a record, as read at `position`.
    pub(crate) fn of(session: &Session, position: Position, now: UnixTime) -> Self {
        Self {
            sid: session.sid,
            subject: session.subject.clone(),
            transport: session.transport,
            auth_time: session.auth_time,
            login_exp: session.login_exp,
            grant: session.grant.clone(),
            amr: session.amr.clone(),
            org: session.org.clone(),
            position,
            now,
        }
    }
}

/// Credentials on their way to a client.
#[derive(Debug)]
pub struct Handed {
    app: Arc<App>,
    sid: SessionId,
    transport: Transport,
    handout: Handout,
    access: SecretText,
    expires_in: u64,
    refresh: Option<SecretText>,
    login_expires_in: u64,
}

/// The JSON answer to sign-in and refresh. Only what the transport carries in bodies is in it. Its tokens do not print.
#[derive(Serialize)]
pub struct LoginBody<'a> {
    app: &'a str,
    sid: SessionId,
    mode: &'static str,
    transport: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    login_expires_in: u64,
}

impl std::fmt::Debug for LoginBody<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginBody")
            .field("app", &self.app)
            .field("sid", &self.sid)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

impl Handed {
    /// The login.
    pub const fn sid(&self) -> SessionId {
        self.sid
    }

    /// The access credential.
    pub const fn access(&self) -> &SecretText {
        &self.access
    }

    /// What goes into the body.
    pub fn body(&self) -> LoginBody<'_> {
        let in_body = !self.handout.access_in_cookie;
        LoginBody {
            app: self.app.id.as_str(),
            sid: self.sid,
            mode: self.app.mode.name(),
            transport: self.transport.name(),
            token_type: in_body.then_some("Bearer"),
            access_token: in_body.then(|| self.access.expose()),
            expires_in: self.expires_in,
            refresh_token: self.refresh.as_ref().filter(|_| !self.handout.refresh_in_cookie).map(SecretText::expose),
            login_expires_in: self.login_expires_in,
        }
    }

    /// Whether it sets the cookie of that name.
    pub fn sets_cookie(&self, name: &str) -> bool {
        let access = self.handout.access_in_cookie && name == self.app.cookies.access;
        let refresh = self.refresh.is_some() && self.handout.refresh_in_cookie && name == self.app.cookies.refresh;
        access || refresh
    }

    /// The `Set-Cookie` lines. Cookies live as long as the login may: an access JWT that has ended is still what a
    /// renewal shows, and what enforces an end is here, not in the browser.
    pub fn set_cookies(&self) -> Result<Vec<String>, Error> {
        let writer = CookieWriter::new(&self.app);
        let mut lines = Vec::new();
        let mut set = |name: &str, value: &SecretText| {
            let size = name.len() + 1 + value.expose().len();
            let line = writer.set(name, value.expose(), self.login_expires_in);
            line.map(|line| lines.push(line)).ok_or(InputFault::TokenTooLarge { size, limit: 4_096 })
        };
        if self.handout.access_in_cookie {
            set(&self.app.cookies.access, &self.access)?;
        }
        if let Some(refresh) = self.refresh.as_ref().filter(|_| self.handout.refresh_in_cookie) {
            set(&self.app.cookies.refresh, refresh)?;
        }
        Ok(lines)
    }
}

impl Instance {
    /// Makes the record ready for what `handout` hands out; whether it changed and has to be stored.
    pub(super) fn prepare(&self, session: &mut Session, handout: Handout) -> Result<bool, Error> {
        let mut changed = false;
        if handout.access == AccessForm::SessionToken && session.token.is_none() {
            self.rotate_session_token(session)?;
            changed = true;
        }
        if handout.refresh && session.family.is_none() {
            session.family = Some(TokenFamily::first());
            changed = true;
        }
        Ok(changed)
    }

    /// Gives the session its next token; the one before is dead as soon as this is stored.
    pub(super) fn rotate_session_token(&self, session: &mut Session) -> Result<(), Error> {
        let generation = session.token.as_ref().map_or(1, |state| state.generation.saturating_add(1));
        let missing = InternalFault::TokenKeyMissing { key: session.seed.key };
        let seed = self.seed(session)?;
        let token = SessionToken::derive(&self.keys, &seed, session.sid, generation).ok_or_else(|| missing.clone())?;
        let digest = token.digest(&self.keys).ok_or(missing)?;
        session.token = Some(SessionTokenState { generation, digest });
        Ok(())
    }

    /// The login's own secret.
    pub(super) fn seed(&self, session: &Session) -> Result<LoginSeed, Error> {
        if self.keys.find(session.seed.key).is_none() {
            return Err(InternalFault::TokenKeyMissing { key: session.seed.key }.into());
        }
        LoginSeed::open(&self.keys, &session.sid, &session.seed)
            .ok_or_else(|| InternalFault::Record { what: "session" }.into())
    }

    /// The credentials of a login with a record, as read at `position`, and after `now`.
    pub(super) fn hand_out(
        &self,
        app: &Arc<App>,
        session: &Session,
        position: Position,
        now: UnixTime,
    ) -> Result<Handed, Error> {
        let handout = Handout::of(app.mode, session.transport, session.family.is_some());
        let seed = self.seed(session)?;
        let missing = || Error::from(InternalFault::TokenKeyMissing { key: session.seed.key });
        let head = session.family.as_ref().map(TokenFamily::head);
        let refresh = match head {
            Some(head) if handout.refresh => {
                let token = RefreshToken::derive(&self.keys, &seed, session.sid, head).ok_or_else(missing)?;
                Some(token.to_text(self.keys.replica()).ok_or_else(missing)?)
            }
            _ => None,
        };
        let (access, expires_in) = match (handout.access, &session.token) {
            (AccessForm::SessionToken, Some(state)) => {
                let token = SessionToken::derive(&self.keys, &seed, session.sid, state.generation);
                let text = token.and_then(|token| token.to_text(self.keys.replica())).ok_or_else(missing)?;
                (text, session.idle_deadline().secs_since(now))
            }
            (AccessForm::SessionToken, None) => return Err(InternalFault::Record { what: "session" }.into()),
            (AccessForm::Jwt, _) => {
                let came_with = if refresh.is_some() { head } else { None };
                // A token that lived as long as the record's idle time would be renewed when that is over: whoever is
                // active would be logged out.
                let lifetime = app.lifetimes.access.min((session.idle / 2).max(1));
                self.sign(app, &LoginFacts::of(session, position, now), came_with, lifetime)?
            }
        };
        Ok(Handed {
            app: Arc::clone(app),
            sid: session.sid,
            transport: session.transport,
            handout,
            access,
            expires_in,
            refresh,
            login_expires_in: session.login_exp.secs_since(now),
        })
    }

    /// The credentials of a login without a record.
    pub(super) fn hand_out_stateless(&self, app: &Arc<App>, login: &LoginFacts) -> Result<Handed, Error> {
        let now = login.now;
        let (access, expires_in) = self.sign(app, login, None, app.lifetimes.access)?;
        Ok(Handed {
            app: Arc::clone(app),
            sid: login.sid,
            transport: login.transport,
            handout: Handout::of(app.mode, login.transport, false),
            access,
            expires_in,
            refresh: None,
            login_expires_in: login.login_exp.secs_since(now),
        })
    }

    /// An access token of the login that lives for `lifetime` seconds, but never longer than the login; and the seconds
    /// that it does.
    pub(super) fn sign(
        &self,
        app: &App,
        login: &LoginFacts,
        came_with: Option<Generation>,
        lifetime: u64,
    ) -> Result<(SecretText, u64), Error> {
        let now = login.now;
        let exp = now.saturating_add(lifetime).min(login.login_exp);
        let claims = AccessClaims {
            iss: self.config.issuer.clone(),
            aud: app.audience.clone(),
            sub: login.subject.clone(),
            client_id: app.id.to_string(),
            iat: now,
            exp,
            jti: self.token_id(),
            pos: login.position,
            cv: app.contract,
            sid: Some(login.sid),
            auth_time: Some(login.auth_time),
            amr: login.amr.clone(),
            roles: login.grant.roles.clone(),
            permissions: login.grant.permissions.clone(),
            scope: None,
            org: login.org.clone(),
            login_exp: Some(login.login_exp),
            trn: Some(login.transport),
            rg: came_with,
        };
        let text = self.signing.read().sign(app.signing_alg, ACCESS_TYP, &claims)?;
        if text.len() > HEADER_BUDGET {
            return Err(InputFault::TokenTooLarge { size: text.len(), limit: HEADER_BUDGET }.into());
        }
        Ok((SecretText::new(text), exp.secs_since(now)))
    }

    fn token_id(&self) -> String {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        b64u::encode(&random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Shown;

    #[test]
    fn no_token_on_its_way_prints() {
        let body = LoginBody {
            app: "web",
            sid: SessionId::from_bytes([1; 16]),
            mode: "hybrid",
            transport: "bearer",
            token_type: Some("Bearer"),
            access_token: Some("canary.access"),
            expires_in: 600,
            refresh_token: Some("mrt_canary"),
            login_expires_in: 3_600,
        };
        let shown = Shown { refresh: Some("mrt_canary"), access: Some("canary.access") };
        let printed = format!("{body:?} {shown:?}");
        assert!(!printed.contains("canary"), "{printed}");
        assert!(printed.contains("web") && printed.contains("refresh: true"), "{printed}");
    }
}
