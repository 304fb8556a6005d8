//! Whoever can tell what the memory cannot: the server on its own store, or the feed to it.

use std::future::Future;
use std::pin::Pin;

use misario_core::authn::{Answer, AskedFor, Holder, Rejection, UnavailableFault};
use misario_core::id::AppId;
use misario_core::secret::SecretText;

/// A future that an object-safe trait can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The authority, as a guard sees it.
///
/// Both calls have to end by themselves, a question within a few seconds, a renewal within a lease: a request waits for
/// them. An error means "cannot tell", and is never turned into a yes or into a logout.
pub trait Authority: Send + Sync {
    /// What the credential tells, or why it does not count, with a log position that the answer is at least as new as
    /// (PROTOCOL rule 20).
    fn ask<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Result<Answer, UnavailableFault>>;

    /// A new access credential for a cookie login, in the form that its app hands out now. Refused for logins of any
    /// other transport, before anything is changed: their clients renew themselves.
    fn renew<'a>(&'a self, question: RenewQuestion<'a>) -> BoxFuture<'a, Result<Renewed, RenewError>>;
}

/// A question about a credential.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The app it was shown to.
    pub app: &'a AppId,
    /// Its text.
    pub credential: &'a str,
    /// Why the memory cannot tell.
    pub asked_for: AskedFor,
    /// Who has the credential: only its owner's showing it is a use of it.
    pub holder: Holder,
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("app", &self.app).field("asked_for", &self.asked_for).finish_non_exhaustive()
    }
}

/// What a cookie login shows to be renewed.
#[derive(Clone, Copy)]
pub struct RenewQuestion<'a> {
    /// The app.
    pub app: &'a AppId,
    /// The access cookie.
    pub access: Option<&'a str>,
    /// The refresh cookie.
    pub refresh: Option<&'a str>,
}

impl std::fmt::Debug for RenewQuestion<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RenewQuestion").field("app", &self.app).finish_non_exhaustive()
    }
}

/// A renewed login.
#[derive(Clone)]
pub struct Renewed {
    /// The access credential that the request goes on with.
    pub access: SecretText,
    /// The `Set-Cookie` lines for the browser.
    pub set_cookies: Vec<String>,
}

impl std::fmt::Debug for Renewed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renewed").field("set_cookies", &self.set_cookies.len()).finish_non_exhaustive()
    }
}

/// Why a login was not renewed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RenewError {
    /// It does not count any more, or not for this.
    #[error(transparent)]
    Refused(Rejection),
    /// It cannot be told at the moment.
    #[error(transparent)]
    Unavailable(#[from] UnavailableFault),
}

impl RenewError {
    /// The rejection of the request that cannot go on without the renewal.
    pub fn into_rejection(self) -> Rejection {
        match self {
            Self::Refused(rejection) => rejection,
            Self::Unavailable(fault) => fault.into(),
        }
    }
}
