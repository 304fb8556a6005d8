//! Signing in: with a password, or because the app has authenticated the user itself.

use std::net::IpAddr;
use std::sync::Arc;

use misario_core::app::{App, Handout, Transport};
use misario_core::id::{SessionId, Subject};
use misario_core::secret::LoginSeed;
use misario_core::session::{Device, Session, SessionState};
use misario_core::store::{Inserted, RecordKind, SessionFilter};
use misario_core::user::{Grant, User, UserState, Username};
use misario_jose::UnixTime;
use zeroize::Zeroizing;

use super::issue::{Handed, LoginFacts};
use super::{Cut, Instance, Wait};
use crate::error::{Error, GrantFault, SignInFault};
use crate::passwords::{Busy, MAX_PASSWORD};
use crate::throttle::Account;

/// A sign-in with user name and password.
pub struct PasswordSignIn {
    /// The app.
    pub app: Arc<App>,
    /// As typed.
    pub username: String,
    /// As typed.
    pub password: Zeroizing<String>,
    /// Where the credentials shall travel.
    pub transport: Transport,
    /// What it is made from.
    pub device: Device,
    /// The network address of whoever signs in, if it can be believed.
    pub address: Option<IpAddr>,
}

/// A sign-in of a user whom the app has authenticated.
#[derive(Debug, Clone)]
pub struct AppSignIn {
    /// The app.
    pub app: Arc<App>,
    /// Who.
    pub subject: Subject,
    /// When they proved it.
    pub auth_time: Option<UnixTime>,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// What they may do, for a subject without a row in the directory. Where there is a row, it alone counts: any
    /// renewal would read it anyway.
    pub grant: Option<Grant>,
    /// The organisation.
    pub org: Option<String>,
    /// Where the credentials shall travel.
    pub transport: Transport,
    /// What it is made from.
    pub device: Device,
}

impl Instance {
    /// Signs in with a password. Unknown user, wrong password and disabled user take the same time and look the same.
    pub async fn sign_in(&self, request: PasswordSignIn) -> Result<Handed, Error> {
        require_listed(&request.app, request.transport)?;
        let Ok(username) = Username::new(&request.username) else {
            return Err(SignInFault::InvalidCredentials.into());
        };
        let now = self.clock.wall();
        let account = Account::Name(username.clone());
        let user = self.check_password(&account, &username, &request.password, request.address).await;
        let (cut, user) = match user {
            Ok(found) => found,
            Err(error) => {
                tracing::info!(code = error.code(), app = %request.app.id, "sign-in refused");
                return Err(error);
            }
        };
        let login = LoginFacts {
            sid: SessionId::generate(&*self.entropy),
            subject: user.subject.clone(),
            transport: request.transport,
            auth_time: now,
            login_exp: now.saturating_add(request.app.lifetimes.absolute),
            grant: user.grant(&request.app.id),
            amr: vec!["pwd".to_owned()],
            org: user.org.clone(),
            position: cut.as_of,
            now,
        };
        self.begin(&request.app, login, request.device).await
    }

    /// Signs in a user whom the app has authenticated.
    pub async fn sign_in_by_app(&self, request: AppSignIn) -> Result<Handed, Error> {
        require_listed(&request.app, request.transport)?;
        let now = self.clock.wall();
        let cut = self.fences(&request.app.id, &request.subject, None).await?;
        let row = self.load::<User>(RecordKind::User, request.subject.as_str()).await?.map(|(user, _)| user);
        if row.as_ref().is_some_and(|user| user.state == UserState::Disabled) {
            return Err(GrantFault::UserDisabled.into());
        }
        let given = request.grant.unwrap_or_default();
        let login = LoginFacts {
            sid: SessionId::generate(&*self.entropy),
            subject: request.subject,
            transport: request.transport,
            auth_time: request.auth_time.unwrap_or(now).min(now),
            login_exp: now.saturating_add(request.app.lifetimes.absolute),
            grant: row.as_ref().map_or(given, |user| user.grant(&request.app.id)),
            amr: request.amr,
            org: request.org.or_else(|| row.as_ref().and_then(|user| user.org.clone())),
            position: cut.as_of,
            now,
        };
        self.begin(&request.app, login, request.device).await
    }

    /// The user behind name and password, with the position read before anything else.
    pub(super) async fn check_password(
        &self,
        account: &Account,
        username: &Username,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<(Cut, User), Error> {
        let attempt = self
            .throttle
            .attempt(account, address, self.clock.mono())
            .map_err(|wait| SignInFault::TooManyAttempts { wait })?;
        let looked = async {
            let position = self.live.head().await?;
            let user = self.load_alias::<User>(RecordKind::User, username.as_str()).await?;
            // A password that is too long is never hashed, and takes a dummy's time.
            let (hash, password) = match (&user, password.len() <= MAX_PASSWORD) {
                (Some(user), true) => (user.password.as_deref(), password),
                _ => (None, "x"),
            };
            let right = self.passwords.verify(hash, password).await.map_err(|Busy| SignInFault::Busy)?;
            Ok::<_, Error>((Cut { as_of: position, before: None }, user.filter(|_| right)))
        };
        match looked.await {
            Ok((cut, Some(user))) if user.state == UserState::Active => {
                self.throttle.succeeded(attempt);
                Ok((cut, user))
            }
            Ok(_) => Err(SignInFault::InvalidCredentials.into()),
            Err(error) => {
                self.throttle.not_made(&attempt);
                Err(error)
            }
        }
    }

    /// Begins the login: with a record where its credentials need one.
    async fn begin(&self, app: &Arc<App>, login: LoginFacts, device: Device) -> Result<Handed, Error> {
        let handout = Handout::of(app.mode, login.transport, false);
        let handed = if handout.needs_record() {
            let mut session = self.new_session(app, &login, device)?;
            self.prepare(&mut session, handout)?;
            match self.live.insert(&session).await? {
                Inserted::Done(_) => {}
                // A revocation came between the reading and now: as if the sign-in had been before it.
                Inserted::Fenced => return Err(SignInFault::InvalidCredentials.into()),
                // 128 random bits were drawn twice: the randomness is broken, so nothing may be handed out.
                Inserted::Exists => return Err(crate::error::InternalFault::Record { what: "session" }.into()),
            }
            self.hold_to_limit(app, &session).await?;
            self.hand_out(app, &session, login.position, login.now)?
        } else {
            self.hand_out_stateless(app, &login)?
        };
        tracing::info!(app = %app.id, sid = %login.sid, transport = login.transport.name(), "signed in");
        Ok(handed)
    }

    /// A record for the login.
    pub(super) fn new_session(&self, app: &App, login: &LoginFacts, device: Device) -> Result<Session, Error> {
        let seed = LoginSeed::generate(&self.keys, &*self.entropy);
        let key = self.keys.current().id();
        let seed = seed
            .seal(&self.keys, &login.sid, &*self.entropy)
            .ok_or(crate::error::InternalFault::TokenKeyMissing { key })?;
        let now = self.clock.wall();
        Ok(Session {
            sid: login.sid,
            app: app.id.clone(),
            subject: login.subject.clone(),
            transport: login.transport,
            issued: login.position,
            created: now,
            created_tick: self.clock.mono().as_millis(),
            auth_time: login.auth_time,
            login_exp: login.login_exp,
            idle: app.lifetimes.idle,
            last_seen: now,
            grant: login.grant.clone(),
            grant_at: login.position,
            amr: login.amr.clone(),
            org: login.org.clone(),
            device,
            seed,
            token: None,
            family: None,
            data: None,
        })
    }

    /// Ends the user's oldest logins in the app beyond its limit. Each sign-in ends what is beyond by its own view, so
    /// any number of sign-ins at once leave no more than the limit. Refused if one of those at once ended this very login.
    async fn hold_to_limit(&self, app: &App, newest: &Session) -> Result<(), Error> {
        let Some(limit) = app.max_logins else { return Ok(()) };
        let filter = SessionFilter::OfIn(newest.subject.clone(), app.id.clone());
        let mut live = self.all_sessions(filter).await?;
        let now = self.clock.wall();
        live.retain(|session| session.state(now) == SessionState::Live);
        // Newest first; of two made at once every racer must keep the same one.
        live.sort_by_key(|session| std::cmp::Reverse((session.created, session.created_tick, session.sid)));
        let beyond = live.split_off(live.len().min(limit.max(1) as usize));
        for session in &beyond {
            self.end_login(session.sid, session.login_exp, Wait::No).await?;
        }
        // Its credentials would be worth nothing: better to sign in once more.
        let is_ended = self.live.load(&newest.sid).await?.is_none_or(|loaded| loaded.is_fenced());
        if is_ended { Err(SignInFault::Busy.into()) } else { Ok(()) }
    }
}

fn require_listed(app: &App, transport: Transport) -> Result<(), SignInFault> {
    app.transports.contains(&transport).then_some(()).ok_or(SignInFault::TransportNotListed)
}
