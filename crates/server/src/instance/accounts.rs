//! What people and operators do with one account: prove once more who they are, begin as the first administrator,
//! get a token by hand.

use std::net::IpAddr;
use std::sync::Arc;

use misario_core::app::{App, BUILT_IN, Handout, Transport};
use misario_core::authn::{Facts, Permit};
use misario_core::changes::{ChangeKind, Position};
use misario_core::id::{AppId, SessionId, Subject};
use misario_core::secret::{RefreshToken, SecretText, SessionToken};
use misario_core::store::{RecordKind, Swapped};
use misario_core::user::{Grant, User, UserState, Username};
use misario_jose::{UnixTime, constant_time_eq, digest};
use serde::{Deserialize, Serialize};

use super::issue::{Handed, LoginFacts};
use super::records::Keyed;
use super::users::{NewUser, UserView};
use super::{Instance, Wait};
use crate::error::{Error, GrantFault, InputFault, SignInFault};
use crate::throttle::Account;

/// How often a change of a session is tried again when somebody else was faster.
const TRIES: usize = 16;

/// A token to issue by hand.
#[derive(Debug, Clone)]
pub struct IssueByHand {
    /// For which app.
    pub app: Arc<App>,
    /// For whom.
    pub subject: Subject,
    /// With which roles.
    pub roles: Vec<String>,
    /// Seconds; at most the app's access lifetime.
    pub ttl: Option<u64>,
}

/// Kept so that the bootstrap happens once.
#[derive(Serialize, Deserialize)]
struct Bootstrapped {
    subject: Subject,
}

impl Instance {
    /// The user behind a login proves once more who they are: `auth_time` moves on, and session token and refresh token
    /// are others, so that what was copied before is worth nothing for what now opens.
    pub async fn reauthenticate(
        &self,
        app: &Arc<App>,
        permit: &Permit,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<Handed, Error> {
        let facts = permit.principal().facts();
        let sid = facts.sid.ok_or(InputFault::NotFound { what: "login" })?;
        // A user whom only the app knows has no password here to prove anything with.
        let user = self.load::<User>(RecordKind::User, facts.subject.as_str()).await?;
        let (user, _) = user.ok_or(SignInFault::InvalidCredentials)?;
        let (cut, user) = self.check_password(&Account::Login(sid), &user.username, password, address).await?;
        for _ in 0..TRIES {
            let now = self.clock.wall();
            let Some(loaded) = self.load_session(&app.id, &sid).await? else {
                let login = self.login_without_record(app, facts, &user, cut.as_of).await?;
                let made = if Handout::of(app.mode, login.transport, false).needs_record() {
                    // The app was switched since: the login gets the record that it now needs.
                    self.record_for(app, &login, facts).await?
                } else {
                    Some(self.hand_out_stateless(app, &login)?)
                };
                match made {
                    Some(handed) => return Ok(handed),
                    None => continue,
                }
            };
            // As for a renewal: a password does not bring back a login that ended, nor roles that were taken away.
            let loaded = self.still_live(app, loaded).await?;
            let mut session = loaded.session.clone();
            session.auth_time = now;
            session.last_seen = now;
            if session.token.is_some() {
                self.rotate_session_token(&mut session)?;
            }
            session.family = session.family.map(|family| family.replaced());
            let handout = Handout::of(app.mode, session.transport, session.family.is_some());
            self.prepare(&mut session, handout)?;
            match self.live.swap(&session, loaded.revision).await? {
                Swapped::Done(_) => {
                    // The token before must be dead in every cache, too.
                    self.announce_session(sid).await?;
                    return self.hand_out(app, &session, loaded.as_of, now);
                }
                Swapped::Conflict => {}
                Swapped::Gone | Swapped::Fenced => return Err(GrantFault::Revoked.into()),
            }
        }
        Err(GrantFault::Contended.into())
    }

    /// A login without a record, after its user proved once more who they are.
    async fn login_without_record(
        &self,
        app: &App,
        facts: &Facts,
        user: &User,
        position: Position,
    ) -> Result<LoginFacts, Error> {
        let (Some(sid), Some(login_exp)) = (facts.sid, facts.login_exp) else {
            return Err(InputFault::NotFound { what: "login" }.into());
        };
        if facts.generation.is_some() {
            // It came with a refresh token, so it had a record: that is gone, and the login over.
            return Err(GrantFault::Revoked.into());
        }
        let now = self.clock.wall();
        let cut = self.fences(&app.id, &facts.subject, Some(sid)).await?;
        if cut.refuses(facts.issued) {
            return Err(GrantFault::Revoked.into());
        }
        Ok(LoginFacts {
            sid,
            subject: facts.subject.clone(),
            transport: facts.transport,
            auth_time: now,
            login_exp,
            grant: user.grant(&app.id),
            amr: facts.amr.clone(),
            org: user.org.clone(),
            position,
            now,
        })
    }

    async fn announce_session(&self, sid: SessionId) -> Result<(), Error> {
        let now = self.clock.wall();
        let kind = ChangeKind::SessionChanged { sid };
        let change = misario_core::changes::NewChange { at: now, until: self.kept_until(now), kind, fence: None };
        self.publish(change, Wait::Yes).await.map(drop)
    }

    /// Makes the first administrator, once, for whoever has the secret that the operator set.
    pub async fn bootstrap(&self, secret: &str, username: Username, password: SecretText) -> Result<UserView, Error> {
        let refused = Error::from(SignInFault::BootstrapRefused);
        let Some(own) = &self.config.bootstrap_secret else { return Err(refused) };
        // Compared as digests, so that neither content nor length shows in the time.
        if !constant_time_eq(&digest::sha256(own.expose().as_bytes()), &digest::sha256(secret.as_bytes())) {
            return Err(refused);
        }
        if self.is_bootstrapped().await? {
            return Err(refused);
        }
        let admin = Grant { roles: vec!["admin".to_owned()], permissions: Vec::new() };
        let grants = [(AppId::new(BUILT_IN)?, admin)].into();
        let (user, _) = self.add_user(NewUser { username, password: Some(password), grants, org: None }).await?;
        // Of two that come at once, one creates this record; the other's user gets its role taken away again.
        let done = Bootstrapped { subject: user.subject.clone() };
        let created =
            self.create(Keyed { kind: RecordKind::Instance, key: BOOTSTRAP, alias: None, value: &done }).await;
        match created {
            Ok(()) => Ok(user),
            Err(Error::Input(InputFault::Exists { .. })) => {
                self.set_grant(user.subject.as_str(), &AppId::new(BUILT_IN)?, Grant::default()).await?;
                Err(refused)
            }
            // It may have been created all the same: then this user is the administrator.
            Err(error) => Err(error),
        }
    }

    /// Whether there is a first administrator.
    pub async fn is_bootstrapped(&self) -> Result<bool, Error> {
        Ok(self.load::<Bootstrapped>(RecordKind::Instance, BOOTSTRAP).await?.is_some())
    }

    /// An access token made by hand, of a login of its own that nothing renews.
    pub async fn issue_by_hand(&self, request: IssueByHand) -> Result<(SecretText, u64), Error> {
        let app = request.app;
        let ttl = request.ttl.unwrap_or(app.lifetimes.access);
        if ttl == 0 || ttl > app.lifetimes.access {
            return Err(InputFault::Body { why: format!("ttl is 1 to {} seconds", app.lifetimes.access) }.into());
        }
        let now = self.clock.wall();
        let cut = self.fences(&app.id, &request.subject, None).await?;
        // Read after the position: a user who is disabled in between has a revocation behind it.
        let row = self.load::<User>(RecordKind::User, request.subject.as_str()).await?;
        if row.is_some_and(|(user, _)| user.state == UserState::Disabled) {
            return Err(GrantFault::UserDisabled.into());
        }
        let login = LoginFacts {
            sid: SessionId::generate(&*self.entropy),
            subject: request.subject,
            transport: Transport::Bearer,
            auth_time: now,
            login_exp: now.saturating_add(ttl),
            grant: Grant { roles: request.roles, permissions: Vec::new() },
            amr: Vec::new(),
            org: None,
            position: cut.as_of,
            now,
        };
        self.sign(&app, &login, None, ttl)
    }

    /// The subject behind a user name or subject. A subject that has no row here is taken as it is: people who are
    /// authenticated elsewhere have none.
    pub async fn subject_named(&self, name: &str) -> Result<Subject, Error> {
        match self.user_named(name).await {
            Ok(user) => Ok(user.subject),
            Err(Error::Input(InputFault::NotFound { .. })) => Ok(Subject::new(name)?),
            Err(error) => Err(error),
        }
    }

    /// What to call a subject on a page.
    pub(crate) async fn display_name(&self, subject: &Subject) -> Result<String, Error> {
        let row = self.load::<User>(RecordKind::User, subject.as_str()).await?;
        Ok(row.map_or_else(|| subject.to_string(), |(user, _)| user.username.to_string()))
    }

    /// The end of the login, if the refresh token is one that its seed derives.
    pub(crate) async fn login_of_refresh_token(
        &self,
        app: &App,
        token: &RefreshToken,
    ) -> Result<Option<UnixTime>, Error> {
        let loaded = self.live.load(&token.sid()).await?.filter(|loaded| loaded.session.app == app.id);
        let Some(loaded) = loaded else { return Ok(None) };
        let genuine = token.is_genuine(&self.keys, &self.seed(&loaded.session)?);
        Ok(genuine.then_some(loaded.session.login_exp))
    }

    /// The end of the login, if the session token is the one of it that counts.
    pub(crate) async fn login_of_session_token(
        &self,
        app: &App,
        token: &SessionToken,
    ) -> Result<Option<UnixTime>, Error> {
        let loaded = self.live.load(&token.sid()).await?.filter(|loaded| loaded.session.app == app.id);
        Ok(loaded.filter(|loaded| self.counts(token, &loaded.session)).map(|loaded| loaded.session.login_exp))
    }
}

const BOOTSTRAP: &str = "bootstrap";
