//! The user directory.

use std::collections::BTreeMap;

use misario_core::changes::Target;
use misario_core::id::{AppId, Subject};
use misario_core::secret::SecretText;
use misario_core::store::RecordKind;
use misario_core::user::{Grant, User, UserState, Username};
use misario_jose::{UnixTime, b64u};
use serde::Serialize;

use super::intents::Intent;
use super::records::Keyed;
use super::{Instance, Published, Wait};
use crate::error::{Error, InputFault, SignInFault};
use crate::passwords::{Busy, MAX_PASSWORD};

/// The shortest password that a person may choose, in characters: NIST SP 800-63B-4 §3.1.1.2, for a single factor, counts
/// code points.
const MIN_PASSWORD: usize = 15;

/// A user to create.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The name to sign in with.
    pub username: Username,
    /// The password; absent: one is made.
    pub password: Option<SecretText>,
    /// What they may do.
    pub grants: BTreeMap<AppId, Grant>,
    /// The organisation.
    pub org: Option<String>,
}

/// A user as administrators see them: everything but the hash.
#[derive(Debug, Clone, Serialize)]
pub struct UserView {
    /// The claim `sub`.
    pub subject: Subject,
    /// The name to sign in with.
    pub username: Username,
    /// Whether they may be signed in.
    pub state: UserState,
    /// What they may do.
    pub grants: BTreeMap<AppId, Grant>,
    /// The organisation.
    pub org: Option<String>,
    /// When the row was made.
    pub created: UnixTime,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let User { subject, username, state, grants, org, created, password: _ } = user;
        Self { subject, username, state, grants, org, created }
    }
}

impl Instance {
    /// Creates the user; the password, if it was made here.
    pub async fn add_user(&self, new: NewUser) -> Result<(UserView, Option<SecretText>), Error> {
        let (password, made) = self.password_or_new(new.password, &new.username)?;
        let hash = self.passwords.hash(password.expose()).await.map_err(|Busy| SignInFault::Busy)?;
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        let user = User {
            subject: Subject::new(&format!("usr_{}", b64u::encode(&random)))?,
            username: new.username,
            password: Some(hash),
            state: UserState::Active,
            grants: new.grants,
            org: new.org,
            created: self.clock.wall(),
        };
        let (key, alias) = (user.subject.as_str(), user.username.as_str());
        self.create(Keyed { kind: RecordKind::User, key, alias: Some(alias), value: &user }).await?;
        tracing::info!(subject = %user.subject, "user added");
        Ok((user.into(), made))
    }

    /// The user of that subject or name.
    pub async fn find_user(&self, name: &str) -> Result<UserView, Error> {
        self.user_named(name).await.map(UserView::from)
    }

    /// A page of users, in the order of their subjects.
    pub async fn list_users(&self, after: Option<&str>, limit: u32) -> Result<(Vec<UserView>, Option<String>), Error> {
        let (users, next) = self.load_page::<User>(RecordKind::User, after, limit.clamp(1, 1_000)).await?;
        Ok((users.into_iter().map(UserView::from).collect(), next))
    }

    /// Lets the user in, or ends everything of theirs.
    pub async fn set_user_state(&self, name: &str, state: UserState) -> Result<(UserView, Option<Published>), Error> {
        let subject = self.user_named(name).await?.subject;
        let intent = match state {
            UserState::Disabled => Some(self.intend(&Intent::RevokeUser(subject.clone())).await?),
            UserState::Active => None,
        };
        let changed = self.update_user(&subject, |user| {
            user.state = state;
            Ok(())
        });
        let (user, ()) = match &intent {
            Some(intent) => self.changed(intent, changed.await).await?,
            None => changed.await?,
        };
        // The row first, so that no sign-in comes between; said again when it is disabled already, because whoever
        // disabled it first may have crashed before the change was everywhere (PROTOCOL rule 12).
        let published = match state {
            UserState::Disabled => Some(self.revoke(Target::User(subject), Wait::Yes).await?),
            UserState::Active => None,
        };
        if let Some(intent) = intent {
            self.announced(intent).await;
        }
        Ok((user.into(), published))
    }

    /// Sets the password and ends all logins that the old one made; the password, if it was made here.
    pub async fn set_password(
        &self,
        name: &str,
        password: Option<SecretText>,
    ) -> Result<(Option<SecretText>, Published), Error> {
        let user = self.user_named(name).await?;
        let (password, made) = self.password_or_new(password, &user.username)?;
        let hash = self.passwords.hash(password.expose()).await.map_err(|Busy| SignInFault::Busy)?;
        let intent = self.intend(&Intent::RevokeUser(user.subject.clone())).await?;
        let changed = self.update_user(&user.subject, |user| {
            user.password = Some(hash.clone());
            Ok(())
        });
        self.changed(&intent, changed.await).await?;
        let published = self.revoke(Target::User(user.subject.clone()), Wait::Yes).await?;
        self.announced(intent).await;
        Ok((made, published))
    }

    /// Sets what the user may do in an app; true everywhere when it returns, and ends no login.
    pub async fn set_grant(&self, name: &str, app: &AppId, grant: Grant) -> Result<(UserView, Published), Error> {
        self.change_grant(name, app, |current| {
            current.clone_from(&grant);
            Ok(())
        })
        .await
    }

    /// Gives roles in an app and takes roles away, leaving whatever else the user may do there as it is when the change
    /// is written; true everywhere when it returns, and ends no login.
    ///
    /// # Errors
    /// `not_found` for a role to take away that the user does not have: nothing is changed.
    pub async fn change_roles(
        &self,
        name: &str,
        app: &AppId,
        add: &[String],
        remove: &[String],
    ) -> Result<(UserView, Published), Error> {
        self.change_grant(name, app, |Grant { roles, .. }| {
            if remove.iter().any(|role| !roles.contains(role)) {
                return Err(InputFault::NotFound { what: "role" }.into());
            }
            roles.retain(|role| !remove.contains(role));
            let missing: Vec<_> = add.iter().filter(|role| !roles.contains(role)).cloned().collect();
            roles.extend(missing);
            Ok(())
        })
        .await
    }

    async fn change_grant(
        &self,
        name: &str,
        app: &AppId,
        mut change: impl FnMut(&mut Grant) -> Result<(), Error>,
    ) -> Result<(UserView, Published), Error> {
        self.app(app)?;
        let subject = self.user_named(name).await?.subject;
        let intent = self.intend(&Intent::ChangeGrant(subject.clone())).await?;
        let changed = self.update_user(&subject, |user| change(user.grants.entry(app.clone()).or_default()));
        let changed = match changed.await {
            Err(error) if !matches!(error, Error::Input(_)) => return Err(error),
            changed => changed,
        };
        // Also where nothing is changed: whoever repeats a call that failed half way finds the record changed, and must not
        // be told so before it is true everywhere (PROTOCOL rule 12).
        let published = self.announce_grant(&subject, Wait::Yes).await?;
        self.announced(intent).await;
        let (user, ()) = changed?;
        Ok((user.into(), published))
    }

    pub(super) async fn user_named(&self, name: &str) -> Result<User, Error> {
        if let Ok(username) = Username::new(name)
            && let Some(user) = self.load_alias::<User>(RecordKind::User, username.as_str()).await?
        {
            return Ok(user);
        }
        let found = self.load::<User>(RecordKind::User, name).await?;
        found.map(|(user, _)| user).ok_or(InputFault::NotFound { what: "user" }.into())
    }

    async fn update_user<R>(
        &self,
        subject: &Subject,
        change: impl FnMut(&mut User) -> Result<R, Error>,
    ) -> Result<(User, R), Error> {
        let alias = |user: &User| Some(user.username.as_str().to_owned());
        self.update(RecordKind::User, subject.as_str(), alias, change).await
    }

    /// The password that was chosen, if it will do, or a new one; and the new one for whoever asked.
    fn password_or_new(
        &self,
        chosen: Option<SecretText>,
        username: &Username,
    ) -> Result<(SecretText, Option<SecretText>), Error> {
        if let Some(chosen) = chosen {
            let length = chosen.expose().chars().count() >= MIN_PASSWORD && chosen.expose().len() <= MAX_PASSWORD;
            let is_name = Username::new(chosen.expose()).is_ok_and(|name| name == *username);
            return if length && !is_name { Ok((chosen, None)) } else { Err(InputFault::Password.into()) };
        }
        let mut random = [0; 18];
        self.entropy.fill(&mut random);
        let made = SecretText::new(b64u::encode(&random));
        Ok((made.clone(), Some(made)))
    }
}
