//! Users of an embedded authority, from code.

use misario_core::id::{AppId, Subject};
use misario_core::secret::SecretText;
use misario_core::user::{Grant, Username};
use misario_server::instance::NewUser;
use misario_server::{Error, InputFault, Server};

use crate::Misario;

/// A user to be added. Made by [`Misario::add_user`].
#[derive(Debug)]
#[must_use = "nobody is added before `create` or `if_absent`"]
pub struct AddUser<'m> {
    server: Option<&'m Server>,
    apps: &'m [AppId],
    name: String,
    password: Option<SecretText>,
    grant: Grant,
}

/// A user that was added.
#[derive(Debug)]
pub struct AddedUser {
    /// The claim `sub`: what handlers see.
    pub subject: Subject,
    password: SecretText,
}

impl AddedUser {
    /// The password: the one that was given, or the one that was made. The latter is kept nowhere else: tell it to whoever
    /// it is for, now.
    pub fn password(&self) -> &str {
        self.password.expose()
    }
}

impl Misario {
    /// A user who signs in with this name and a password. Only where the authority is in this process; for another one
    /// there is `misario user add`.
    pub fn add_user(&self, name: &str) -> AddUser<'_> {
        let (server, apps) = match &self.kind {
            crate::handle::Kind::Embedded(hosted) => (Some(&hosted.server), hosted.apps.as_slice()),
            #[cfg(feature = "connect")]
            crate::handle::Kind::Connected(_) => (None, [].as_slice()),
        };
        AddUser { server, apps, name: name.to_owned(), password: None, grant: Grant::default() }
    }
}

impl AddUser<'_> {
    /// With this password, of at least 15 characters. Without one, one is made.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(SecretText::new(password.to_owned()));
        self
    }

    /// With these roles, in each app that was named to [`Misario::embedded`].
    pub fn roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.grant.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// With these permissions, in each of those apps.
    pub fn permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.grant.permissions.extend(permissions.into_iter().map(Into::into));
        self
    }

    /// Adds the user.
    ///
    /// # Errors
    /// `exists` where somebody has the name, `name_invalid`, `password_unsuitable`, or what the store says.
    /// `not_found` where the authority is in another process.
    pub async fn create(self) -> Result<AddedUser, Error> {
        let server = self.server.ok_or(InputFault::NotFound { what: "authority in this process" })?;
        let username = Username::new(&self.name)?;
        let grants = self.apps.iter().map(|app| (app.clone(), self.grant.clone())).collect();
        let new = NewUser { username, password: self.password.clone(), grants, org: None };
        let (user, made) = server.instance().add_user(new).await?;
        // One or the other: whoever gives none is made one.
        let password = made.or(self.password).unwrap_or_else(|| SecretText::new(String::new()));
        Ok(AddedUser { subject: user.subject, password })
    }

    /// Adds the user, unless somebody has the name: they stay as they are, and it is `None`. For the first start.
    ///
    /// # Errors
    /// As [`AddUser::create`], without `exists`.
    pub async fn if_absent(self) -> Result<Option<AddedUser>, Error> {
        // First, because a password costs a hash.
        if let Some(server) = self.server
            && server.instance().find_user(&self.name).await.is_ok()
        {
            return Ok(None);
        }
        match self.create().await {
            Ok(added) => Ok(Some(added)),
            Err(Error::Input(InputFault::Exists { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
